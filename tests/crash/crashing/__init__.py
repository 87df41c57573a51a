"""What kills, what is killed, and what looks at the remains afterwards."""
