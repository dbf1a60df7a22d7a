"""Self-play of other AlphaZero programs beside ours, under equal conditions."""
