"""An exchange of our own: it stands on the other side of the wire and shares no code with what talks to it."""
