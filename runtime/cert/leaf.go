package cert

import (
	"bytes"
	"crypto/sha256"

	"github.com/wardledger/ward/runtime/cbor"
)

// Leaf is what a verified chain says of its device. It shares no memory with the input.
type Leaf struct {
	// Key is P-256, compressed: what tx.ParsePublicKey takes. The chain proves that its
	// holder was named so, not that whoever sent the chain holds it.
	Key []byte
	// Subject is the leaf's name in DER.
	Subject []byte
	// CommonName and SerialNumber are the attributes of the subject, "" if absent.
	CommonName, SerialNumber string
	// VID and PID are those of Matter, four hex digits such as "FFF1", "" if absent.
	VID, PID string
	// NotBefore and NotAfter are the leaf's own validity in Unix seconds, both inside. NotAfter may be Never.
	NotBefore, NotAfter int64
	// Until is the earliest NotAfter of the whole path, the anchor's included: the last
	// second at which the same chain verifies.
	Until int64
	// Anchor counts the anchors as they were given, from 0.
	Anchor int
	// Path names each certificate, leaf first, without the anchor. One of
	// them revoked is the leaf revoked.
	Path []Link
}

// Link names one certificate, as no other is named while its issuer keeps to RFC 5280.
type Link struct {
	Issuer [sha256.Size]byte // SHA-256 of the issuer's SubjectPublicKeyInfo
	Serial []byte            // big-endian, without leading zeros, at most 20 bytes
}

func newLeaf(chain []*certificate, anchor candidate) *Leaf {
	c := chain[0]
	l := &Leaf{
		Key: c.compressed(), Subject: bytes.Clone(c.subject.der),
		CommonName: c.subject.commonName, SerialNumber: c.subject.serialNumber, VID: c.subject.vid, PID: c.subject.pid,
		NotBefore: c.notBefore, NotAfter: c.notAfter,
		Until: anchor.notAfter, Anchor: anchor.index,
	}
	for i, c := range chain {
		issuer := anchor.certificate
		if i+1 < len(chain) {
			issuer = chain[i+1]
		}
		l.Path = append(l.Path, Link{issuer.id(), bytes.Clone(c.serial)})
		l.Until = min(l.Until, c.notAfter)
	}
	return l
}

// Encode is the leaf as canonical CBOR, the only encoding it has: a map in which every key is there.
//
//	"key"           bytes, 33
//	"pid", "vid"    text, four hex digits or ""
//	"path"          array of {"issuer": bytes, 32; "serial": bytes}, leaf first
//	"until"         int, Unix seconds
//	"anchor"        uint
//	"subject"       bytes, DER
//	"not_after"     int, Unix seconds
//	"not_before"    int, Unix seconds
//	"common_name"   text, "" if absent
//	"serial_number" text, "" if absent
func (l *Leaf) Encode() []byte {
	b := cbor.AppendMap(nil, 11)
	b = cbor.AppendBytes(cbor.AppendText(b, "key"), l.Key)
	b = cbor.AppendText(cbor.AppendText(b, "pid"), l.PID)
	b = cbor.AppendText(cbor.AppendText(b, "vid"), l.VID)
	b = cbor.AppendArray(cbor.AppendText(b, "path"), len(l.Path))
	for _, link := range l.Path {
		b = cbor.AppendMap(b, 2)
		b = cbor.AppendBytes(cbor.AppendText(b, "issuer"), link.Issuer[:])
		b = cbor.AppendBytes(cbor.AppendText(b, "serial"), link.Serial)
	}
	b = cbor.AppendInt(cbor.AppendText(b, "until"), l.Until)
	b = cbor.AppendUint(cbor.AppendText(b, "anchor"), uint64(l.Anchor))
	b = cbor.AppendBytes(cbor.AppendText(b, "subject"), l.Subject)
	b = cbor.AppendInt(cbor.AppendText(b, "not_after"), l.NotAfter)
	b = cbor.AppendInt(cbor.AppendText(b, "not_before"), l.NotBefore)
	b = cbor.AppendText(cbor.AppendText(b, "common_name"), l.CommonName)
	return cbor.AppendText(cbor.AppendText(b, "serial_number"), l.SerialNumber)
}
