"""What each switch of training is worth, on equal compute."""
