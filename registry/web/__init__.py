"""Pages for people: HTML, made here from what services give; nothing of HTTP."""
