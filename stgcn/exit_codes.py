"""How this package's commands end when they do not end well."""

BAD_INPUT = 2  # one line on standard error says what to mend
INTERRUPTED = 130  # Ctrl-C
