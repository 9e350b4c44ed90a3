"""TLS with an authority and a certificate that are made for one run."""

import datetime
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def certificate(hosts, file):
    """Makes a certificate for host names, and writes its authority's certificate to a file; returns the
    TLS settings of a server with it."""
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority, name = (
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in ("a made-up authority", hosts[0])
    )
    now = datetime.datetime.now(datetime.timezone.utc)

    def sign(subject, public_key, extension):
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(authority).public_key(public_key)
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - datetime.timedelta(hours=1))
        builder = builder.not_valid_after(now + datetime.timedelta(days=1))
        builder = builder.add_extension(extension, critical=True)
        return builder.sign(authority_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    file.write_bytes(sign(authority, authority_key.public_key(), x509.BasicConstraints(ca=True, path_length=0)))
    names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    both = file.with_suffix(".key")
    both.touch(mode=0o600)
    both.write_bytes(sign(name, key.public_key(), names) + key.private_bytes(*form))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    both.unlink()
    return context
