"""What answers on the wire: parse, call, render."""
