"""Meta-learning: an initialisation that learns a rule variant it has never seen in minutes."""
