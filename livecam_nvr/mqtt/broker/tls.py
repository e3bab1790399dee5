"""TLS to the broker: our certificates and whom we trust, and what goes wrong with them in words."""

import socket
import ssl
from pathlib import Path
from typing import NoReturn

from livecam_nvr.config.mqtt import MqttConfig
from livecam_nvr.domain.errors import ErrorKind, LivecamError

# X509_verify_cert_error codes of OpenSSL (x509_vfy.h).
_EXPIRED, _NOT_YET = 10, 9
_OTHER_NAME = {62, 64}
_UNKNOWN_SIGNER = {2, 18, 19, 20, 21}

# Alerts of RFC 8446, section 6, as OpenSSL spells them, with which a broker refuses our certificate.
_CERTIFICATE_REFUSED = {
    "BAD_CERTIFICATE": "",
    "UNSUPPORTED_CERTIFICATE": "",
    "CERTIFICATE_REVOKED": "it was revoked",
    "CERTIFICATE_EXPIRED": "it has expired",
    "CERTIFICATE_UNKNOWN": "",
    "UNKNOWN_CA": "the broker does not know who signed it",
    "ACCESS_DENIED": "",
}


class _Context(ssl.SSLContext):
    """Checks the certificate for the broker's name, though paho is given the address that it stands for."""

    broker: str

    def wrap_socket(  # noqa: PLR0917 - as in the original
        self,
        sock: socket.socket,
        server_side: bool = False,
        do_handshake_on_connect: bool = True,
        suppress_ragged_eofs: bool = True,
        server_hostname: str | bytes | None = None,  # noqa: ARG002
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLSocket:
        return super().wrap_socket(
            sock, server_side, do_handshake_on_connect, suppress_ragged_eofs, self.broker, session
        )


def broker_name(config: MqttConfig) -> str:
    """The name or address that the broker's certificate has to be for."""
    return config.host.partition("%")[0].rstrip(".")


def tls_context(config: MqttConfig) -> ssl.SSLContext:
    """What we show and whom we trust, read anew from the files. Blocks.

    Raises:
        LivecamError: INVALID for a file that cannot be read or used; names key and file.
    """
    context = _Context(ssl.PROTOCOL_TLS_CLIENT)
    context.broker = broker_name(config)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A self-signed certificate, or one in the middle of a chain, may itself be what is trusted. That is among the
    # defaults of later Pythons' create_default_context, but so is VERIFY_X509_STRICT, which many private
    # authorities fail: they have no key usage. Here it is the same with every Python.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if config.ca_file is None:
        context.load_default_certs()
    else:
        _readable("ca_file", config.ca_file)
        try:
            context.load_verify_locations(config.ca_file)
        except (OSError, ValueError):
            raise _unusable("ca_file", config.ca_file, "holds no certificates", "it has to be PEM") from None
    if config.client_certificate is not None and config.client_key is not None:
        _load_own(context, config.client_certificate, config.client_key)
    return context


def _load_own(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    _readable("client_certificate", certificate)
    _readable("client_key", key)
    try:
        context.load_cert_chain(certificate, key, _no_passphrase)
    except _LockedError:
        raise _unusable(
            "client_key", key, "has a passphrase", "write it without, e.g. with `openssl pkey -in KEY -out NEW`"
        ) from None
    except (OSError, ValueError) as error:
        if "MISMATCH" in (getattr(error, "reason", None) or ""):
            hint = "give the certificate and the key that were made for each other"
            raise _unusable("client_key", key, "does not belong to mqtt.client_certificate", hint) from None
        raise LivecamError(
            ErrorKind.INVALID,
            f"mqtt.client_certificate {certificate} and mqtt.client_key {key} cannot be used",
            "both have to be PEM, the certificate first in its file",
        ) from None


class _LockedError(Exception):
    """A key asks for its passphrase, which there is nobody to type."""


def _no_passphrase() -> NoReturn:
    raise _LockedError


def _readable(key: str, file: Path) -> None:
    try:
        with file.open("rb"):
            return
    except OSError as error:
        reason = (error.strerror or "no such file").lower()
        hint = "correct the path, or let this user read the file"
        raise _unusable(key, file, f"cannot be read: {reason}", hint) from None


def _unusable(key: str, file: Path, problem: str, hint: str) -> LivecamError:
    return LivecamError(ErrorKind.INVALID, f"mqtt.{key} {file} {problem}", hint)


def tls_failure(error: OSError, config: MqttConfig) -> LivecamError:
    """Why the broker and we did not come to trust each other, in words."""
    where = f"{config.host}:{config.port}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return _not_trusted(error, config, where)
    reason = (getattr(error, "reason", None) or "").upper()
    for alert, why in _CERTIFICATE_REFUSED.items():
        if reason.endswith(f"ALERT_{alert}"):
            because = f": {why}" if why else ""
            return LivecamError(
                ErrorKind.INVALID,
                f"the broker {where} refuses our certificate{because}",
                "renew mqtt.client_certificate and mqtt.client_key, or tell the broker who signed them",
            )
    if reason.endswith("CERTIFICATE_REQUIRED") or (
        reason.endswith("HANDSHAKE_FAILURE") and not _shows_one(config)
    ):
        return LivecamError(
            ErrorKind.INVALID,
            f"the broker {where} wants a certificate from us",
            "set mqtt.client_certificate and mqtt.client_key",
        )
    if reason.endswith(("PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL")):
        return LivecamError(
            ErrorKind.UNAVAILABLE, f"the broker {where} speaks no TLS of version 1.2 or newer", "update the broker"
        )
    if reason and not reason.endswith(
        ("WRONG_VERSION_NUMBER", "UNEXPECTED_EOF_WHILE_READING", "PACKET_LENGTH_TOO_LONG")
    ):
        return LivecamError(
            ErrorKind.UNAVAILABLE,
            f"TLS with the broker {where} fails: {reason.replace('_', ' ').lower()}",
            "the broker's own log may say more",
        )
    return LivecamError(
        ErrorKind.UNAVAILABLE,
        f"{where} takes connections but does not speak TLS",
        "check mqtt.port (8883 is usual for TLS), or leave mqtt.tls out",
    )


def _not_trusted(error: ssl.SSLCertVerificationError, config: MqttConfig, where: str) -> LivecamError:
    code = error.verify_code
    if code in _OTHER_NAME:
        problem = f"is for another name than {broker_name(config)!r}"
        hint = "write in mqtt.host a name that is in the certificate, or make one for this name"
    elif code == _EXPIRED:
        problem, hint = "has expired", "renew it on the broker; is this machine's clock right?"
    elif code == _NOT_YET:
        problem, hint = "is not valid yet", "is this machine's clock right?"
    elif code in _UNKNOWN_SIGNER and config.ca_file is not None:
        problem = f"is not signed by mqtt.ca_file {config.ca_file}"
        hint = "give the certificate of whoever signed the broker's"
    elif code in _UNKNOWN_SIGNER:
        problem = "is signed by nobody whom this system trusts"
        hint = "set mqtt.ca_file to the certificate of whoever signed it"
    else:
        problem, hint = f"will not do: {error.verify_message}", "renew it on the broker"
    return LivecamError(ErrorKind.INVALID, f"the certificate of the broker {where} {problem}", hint)


def _shows_one(config: MqttConfig) -> bool:
    return config.client_certificate is not None
