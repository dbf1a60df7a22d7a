"""Screens that come up over the game: each one asks for one thing and hands it back."""
