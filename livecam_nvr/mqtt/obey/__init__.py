"""What messages from outside ask for, and the answers."""
