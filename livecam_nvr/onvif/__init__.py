"""ONVIF: finds cameras, asks them about their streams, and moves them.

What it relies on: ONVIF's Core Specification (discovery, authentication), Media Service Specification (version 1)
and PTZ Service Specification. The SOAP library is loaded when the first camera is asked, and not before.
"""
