"""Users, tokens, sessions, tickets, the audit log: who may come in, at whichever door."""
