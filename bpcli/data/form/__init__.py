"""Forms: sheets of paper to print, fill in and photograph, whose cells become pictures by class.

`layout` says where everything lies, for both ways; `draw` prints it, `read` takes it from a photograph.
"""
