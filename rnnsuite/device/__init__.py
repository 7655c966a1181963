"""What travels to a device: numpy and LiteRT alone, held equal to the graph by tests."""
