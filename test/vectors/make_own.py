#!/usr/bin/env python3
"""Makes pem.json, rsa.json and x5c.json: what the RFCs have no examples of.

Needs python3-cryptography and the openssl command. The keys are thrown away, so
that a new run changes every signature; run it only to add a case.
"""

import base64
import datetime
import json
import os
import subprocess
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import NameOID

HERE = os.path.dirname(os.path.abspath(__file__))
FROM = datetime.datetime(2020, 1, 1)
UNTIL = datetime.datetime(2100, 1, 1)
NOW = 1811808000  # 2027-06-01


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value):
    return b64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def write(name, content):
    with open(os.path.join(HERE, name), "w") as out:
        json.dump(content, out, indent=2)
        out.write("\n")


def rsa_jwk(key):
    numbers = key.public_key().public_numbers()
    return {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}


def rsa_jws(key, alg, how, digest=hashes.SHA256()):
    text = b64url(json.dumps({"alg": alg}).encode()) + "." + b64url(b'{"sub":"rsa"}')
    return text + "." + b64url(key.sign(text.encode(), how, digest))


def pss(salt, mgf=hashes.SHA256()):
    return padding.PSS(mgf=padding.MGF1(mgf), salt_length=salt)


def make_rsa():
    key = rsa.generate_private_key(65537, 2048)
    small = rsa.generate_private_key(65537, 1024)
    big = rsa.generate_private_key(3, 4096)
    write("rsa.json", {
        "source": "made for these tests by make_own.py",
        "jwk": rsa_jwk(key),
        "jwk_1024": rsa_jwk(small),
        "jwk_4096_exponent_3": rsa_jwk(big),
        "rs256": rsa_jws(key, "RS256", padding.PKCS1v15()),
        "ps256": rsa_jws(key, "PS256", pss(32)),
        "ps256_4096": rsa_jws(big, "PS256", pss(32)),
        "ps256_salt_20": rsa_jws(key, "PS256", pss(20)),
        "ps256_mgf1_sha1": rsa_jws(key, "PS256", pss(32, hashes.SHA1())),
        "ps256_padded_as_rs256": rsa_jws(key, "PS256", padding.PKCS1v15()),
        "rs256_padded_as_ps256": rsa_jws(key, "RS256", pss(32)),
        "rs256_sha1": rsa_jws(key, "RS256", padding.PKCS1v15(), hashes.SHA1()),
        "rs256_1024": rsa_jws(small, "RS256", padding.PKCS1v15()),
    })


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def certificate(subject, key, issuer, issuer_key, ca=True, path_length=None, until=UNTIL,
                start=FROM, basic=True, usage=None, digest=hashes.SHA256(), filler=0):
    builder = (x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer))
               .public_key(key.public_key()).serial_number(x509.random_serial_number())
               .not_valid_before(start).not_valid_after(until))
    if basic:
        builder = builder.add_extension(
            x509.BasicConstraints(ca, path_length if ca else None), critical=True)
    if usage is not None:
        flags = dict.fromkeys(["digital_signature", "content_commitment", "key_encipherment",
                               "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign",
                               "encipher_only", "decipher_only"], False)
        flags[usage] = True
        builder = builder.add_extension(x509.KeyUsage(**flags), critical=True)
    if filler:
        builder = builder.add_extension(
            x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"),
                                       b"\x04\x82" + filler.to_bytes(2, "big") + bytes(filler)),
            critical=False)
    if isinstance(issuer_key, ed25519.Ed25519PrivateKey):
        digest = None
    made = builder.sign(issuer_key, digest)
    return made.public_bytes(serialization.Encoding.DER)


def explicit_parameters():
    """A self-signed certificate whose P-256 key spells its curve out."""
    with tempfile.TemporaryDirectory() as where:
        pem = os.path.join(where, "key.pem")
        out = os.path.join(where, "cert.der")
        subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout",
                        "-param_enc", "explicit", "-out", pem], check=True)
        subprocess.run(["openssl", "req", "-x509", "-new", "-key", pem, "-subj", "/CN=explicit",
                        "-days", "30000", "-outform", "DER", "-out", out], check=True)
        with open(out, "rb") as made:
            return made.read()


def ec_jwk(key):
    numbers = key.public_key().public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": b64url(numbers.x.to_bytes(32, "big")),
            "y": b64url(numbers.y.to_bytes(32, "big"))}


def make_x5c():
    p256 = ec.SECP256R1()
    root = ec.generate_private_key(p256)
    first = ec.generate_private_key(ec.SECP384R1())
    second = rsa.generate_private_key(65537, 2048)
    leaf = ec.generate_private_key(p256)
    other = ec.generate_private_key(p256)
    weak = rsa.generate_private_key(65537, 1024)
    strong = rsa.generate_private_key(65537, 4104)
    edwards = ed25519.Ed25519PrivateKey.generate()
    rsa_leaf = rsa.generate_private_key(65537, 2048)

    root_cert = certificate("root", root, "root", root)
    first_cert = certificate("first", first, "root", root)
    second_cert = certificate("second", second, "first", first)
    leaf_by_root = certificate("leaf", leaf, "root", root, ca=False, usage="digital_signature")
    leaf_by_second = certificate("leaf", leaf, "second", second, ca=False)
    third = ec.generate_private_key(p256)
    third_cert = certificate("third", third, "second", second)
    past = datetime.datetime(2021, 1, 1)
    future = datetime.datetime(2090, 1, 1)
    short_root = certificate("root", root, "root", root, path_length=0)
    cases = {
        "one certificate": [leaf_by_root],
        "self-signed": [certificate("leaf", leaf, "leaf", leaf, ca=False)],
        "two certificates": [leaf_by_root, root_cert],
        "four certificates, anchor included": [leaf_by_second, second_cert, first_cert, root_cert],
        "three certificates, anchor left out": [leaf_by_second, second_cert, first_cert],
    }
    others = {
        "an Ed25519 leaf": [certificate("ed", edwards, "root", root, ca=False), root_cert],
        "an RSA leaf": [certificate("rsa", rsa_leaf, "root", root, ca=False), root_cert],
    }
    refused = {
        "five certificates": [certificate("leaf", leaf, "third", third, ca=False), third_cert,
                              second_cert, first_cert, root_cert],
        "order reversed": [root_cert, leaf_by_root],
        "a link left out": [leaf_by_second, first_cert],
        "a stranger in between": [leaf_by_root, certificate("x", other, "root", root), root_cert],
        "a stranger behind the root": [leaf_by_root, root_cert,
                                       certificate("x", other, "x", other)],
        "signed by another key of the same name": [leaf_by_root,
                                                   certificate("root", other, "root", other)],
        "the same certificate twice": [leaf_by_root, leaf_by_root],
        "expired leaf": [certificate("leaf", leaf, "root", root, ca=False, until=past), root_cert],
        "leaf not yet valid": [certificate("leaf", leaf, "root", root, ca=False, start=future),
                               root_cert],
        "expired anchor": [leaf_by_root, certificate("root", root, "root", root, until=past)],
        "expired single certificate": [certificate("leaf", leaf, "leaf", leaf, until=past)],
        "authority without basicConstraints": [leaf_by_root,
                                               certificate("root", root, "root", root,
                                                           basic=False)],
        "authority by its key usage alone": [
            leaf_by_root, certificate("root", root, "root", root, basic=False,
                                      usage="key_cert_sign")],
        "authority that is none": [leaf_by_root,
                                   certificate("root", root, "root", root, ca=False)],
        "authority that may not sign certificates": [
            leaf_by_root, certificate("root", root, "root", root, usage="digital_signature")],
        "path length exceeded": [leaf_by_second, second_cert, first_cert, short_root],
        "leaf key for key agreement only": [
            certificate("leaf", leaf, "root", root, ca=False, usage="key_agreement"), root_cert],
        "authority with a 1024-bit key": [
            certificate("leaf", leaf, "weak", weak, ca=False),
            certificate("weak", weak, "weak", weak)],
        "authority with a 4104-bit key": [
            certificate("leaf", leaf, "strong", strong, ca=False),
            certificate("strong", strong, "strong", strong)],
        "leaf with a 4104-bit key": [certificate("leaf", strong, "root", root, ca=False),
                                     root_cert],
        "certificate over 16 KiB": [
            certificate("leaf", leaf, "root", root, ca=False, filler=17000), root_cert],
        "leaf with a 1024-bit key": [certificate("leaf", weak, "root", root, ca=False), root_cert],
        "curve by explicit parameters": [explicit_parameters()],
        "leaf on P-521": [certificate("leaf", ec.generate_private_key(ec.SECP521R1()), "root",
                                      root, ca=False), root_cert],
    }

    unsupported = {"curve by explicit parameters", "leaf on P-521", "leaf with a 4104-bit key"}

    def encode(lists):
        return [{"what": what,
                 "status": "key_unsupported" if what in unsupported else "certificate",
                 "x5c": [base64.b64encode(der).decode() for der in chain]}
                for what, chain in lists.items()]

    write("x5c.json", {
        "source": "made for these tests by make_own.py",
        "now": NOW,
        "jwk": ec_jwk(leaf),
        "accepted": encode(cases),
        "accepted_other_keys": encode(others),
        "refused": encode(refused),
    })


def run(command, text=None):
    return subprocess.run(["openssl"] + command.split(), input=text, check=True,
                          capture_output=True, text=True).stdout


def make_pem():
    sec1 = run("ecparam -name prime256v1 -genkey")
    p384 = run("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384")
    edwards = run("genpkey -algorithm ed25519")
    accepted = [
        ("SEC 1 behind its parameters, as ecparam -genkey prints it", "ES256", sec1),
        ("SEC 1 alone", "ES256", run("ec", sec1)),
        ("PKCS #8 on P-256", "ES256", run("pkcs8 -topk8 -nocrypt", sec1)),
        ("PKCS #8 on P-384", "ES384", p384),
        ("PKCS #8 of Ed25519", "EdDSA", edwards),
        ("text in front of the key", "ES256", "a comment\n" + sec1),
    ]
    encrypted = "pkcs8 -topk8 -v2 aes-256-cbc -passout pass:"
    refused = [
        ("a key under a password", "jwk", run(encrypted + "secret", edwards)),
        ("a key under an empty password", "jwk", run(encrypted, edwards)),
        ("a SEC 1 key under a password", "jwk", run("ec -aes256 -passout pass:secret", sec1)),
        ("a public key", "jwk", run("pkey -pubout", edwards)),
        ("parameters without a key", "jwk", run("ecparam -name prime256v1")),
        ("an RSA key", "key_unsupported", run("genrsa 2048")),
        ("secp256k1", "key_unsupported", run("ecparam -name secp256k1 -genkey -noout")),
        ("a curve by explicit parameters", "key_unsupported",
         run("ecparam -name prime256v1 -genkey -noout -param_enc explicit")),
        ("no PEM", "jwk", "hello"),
        ("an empty text", "jwk", ""),
        ("a text cut short", "jwk", p384[:-40]),
    ]
    write("pem.json", {
        "source": "made for these tests by make_own.py, with the openssl command",
        "accepted": [{"what": w, "alg": a, "pem": p} for w, a, p in accepted],
        "refused": [{"what": w, "status": s, "pem": p} for w, s, p in refused],
    })


make_pem()
make_rsa()
make_x5c()
