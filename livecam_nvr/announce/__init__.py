"""Tells the local network that the service is here (mDNS and DNS-SD)."""
