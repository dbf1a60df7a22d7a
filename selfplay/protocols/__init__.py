"""The other side of engine protocols: our agents as engines for other programs (GTP, UCI, Gomocup)."""
