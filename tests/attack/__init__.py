"""What a stranger may send: requests, answers, files."""
