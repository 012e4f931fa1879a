"""Where values meet messages: every conversion of the server, one way or the other."""
