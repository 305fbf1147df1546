package cert_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"github.com/wardledger/ward/runtime/cert"
	"github.com/wardledger/ward/runtime/tx"
)

// standard is what crypto/x509 says of the same question, for any purpose.
func standard(chain, anchors []byte, at int64) error {
	certs, err := x509.ParseCertificates(chain)
	if err != nil {
		return err
	}
	roots, err := x509.ParseCertificates(anchors)
	if err != nil {
		return err
	}
	opts := x509.VerifyOptions{
		Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(),
		CurrentTime: time.Unix(at, 0), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	}
	for _, c := range roots {
		opts.Roots.AddCert(c)
	}
	for _, c := range certs[1:] {
		opts.Intermediates.AddCert(c)
	}
	_, err = certs[0].Verify(opts)
	return err
}

// agree fails if crypto/x509 refuses what we have accepted.
func agree(t *testing.T, name string, chain, anchors []byte, at int64) {
	t.Helper()
	if err := standard(chain, anchors, at); err != nil {
		t.Errorf("%s: accepted here, but crypto/x509 says: %v\nchain %x\nanchors %x", name, err, chain, anchors)
	}
}

// chance is a source of random properties.
type chance struct{ *rand.Rand }

// rarely is true once in n.
func (c chance) rarely(n int) bool { return c.IntN(n) == 0 }

func pick[T any](c chance, of ...T) T { return of[c.IntN(len(of))] }

func (c chance) name(role string) pkix.Name {
	n := pkix.Name{CommonName: fmt.Sprintf("%s %d", role, c.IntN(3))}
	if c.rarely(2) {
		n.Organization = []string{pick(c, "Acme", "Müller & Söhne", "a*b")}
	}
	if c.rarely(2) {
		n.SerialNumber = fmt.Sprintf("SN-%d", c.IntN(1000))
	}
	if c.rarely(8) {
		n.OrganizationalUnit = []string{"one", "two"}
	}
	if c.rarely(8) {
		n.ExtraNames = []pkix.AttributeTypeAndValue{
			{Type: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 37244, 2, 1}, Value: "FFF1"},
		}
	}
	if c.rarely(40) {
		n = pkix.Name{}
	}
	return n
}

// template is a certificate's with properties that are mostly good; strange makes more of them bad.
func (c chance) template(role string, ca bool, strange bool) *x509.Certificate {
	odd := func(n int) bool { return strange && c.rarely(n) }
	serial := new(big.Int).SetUint64(c.Uint64()>>1 + 1)
	if odd(10) {
		serial = new(big.Int).Lsh(big.NewInt(1), uint(c.IntN(162)))
	}
	t := &x509.Certificate{
		SerialNumber: serial, Subject: c.name(role),
		NotBefore: time.Unix(at-int64(1+c.IntN(1e8)), 0), NotAfter: pick(c, time.Unix(at+int64(1+c.IntN(1e8)), 0), time.Unix(cert.Never, 0), time.Unix(at+30*365*86400, 0)),
		BasicConstraintsValid: true, IsCA: ca, MaxPathLen: -1,
	}
	if ca {
		t.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsage(c.IntN(256))&^x509.KeyUsageDecipherOnly
		if c.rarely(2) {
			t.MaxPathLen = c.IntN(4)
			t.MaxPathLenZero = true
		}
	} else {
		t.KeyUsage = pick(c, x509.KeyUsageDigitalSignature, x509.KeyUsageDigitalSignature|x509.KeyUsageKeyAgreement, 0)
		if c.rarely(2) {
			t.DNSNames, t.IPAddresses = []string{"lock.example.com"}, []net.IP{{10, 0, 0, 1}}
		}
	}
	if c.rarely(3) {
		t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	}
	if c.rarely(3) {
		t.CRLDistributionPoints = []string{"http://crl.example.com/1"}
		t.OCSPServer = []string{"http://ocsp.example.com"}
	}
	if c.rarely(3) {
		t.PolicyIdentifiers = []asn1.ObjectIdentifier{{1, 2, 3, c.IntN(1000)}}
	}
	if odd(8) {
		t.NotBefore = time.Unix(at+int64(c.IntN(3))-1, 0)
	}
	if odd(8) {
		t.NotAfter = time.Unix(at+int64(c.IntN(3))-1, 0)
	}
	if odd(8) {
		t.IsCA = !t.IsCA
		if !t.IsCA {
			t.MaxPathLen, t.MaxPathLenZero = 0, false
		}
	}
	if odd(10) {
		t.BasicConstraintsValid, t.MaxPathLen, t.MaxPathLenZero, t.IsCA = false, 0, false, false
	}
	if odd(8) {
		t.KeyUsage = x509.KeyUsage(c.IntN(512))
	}
	if odd(8) {
		t.SubjectKeyId = []byte{byte(c.IntN(3)), 1}
	}
	if odd(12) {
		t.PermittedDNSDomainsCritical = c.rarely(2)
		t.PermittedDNSDomains = []string{"example.com"}
	}
	if odd(12) {
		t.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Critical: c.rarely(2), Value: []byte{5, 0}}}
	}
	return t
}

// TestAgreement makes random chains with crypto/x509. What we accept it must accept
// too. The other way round it need not, but a chain in which nothing is strange
// must be accepted here.
func TestAgreement(t *testing.T) {
	rounds := 3000
	if testing.Short() {
		rounds = 300
	}
	keys := make([]*ecdsa.PrivateKey, 8)
	for i := range keys {
		keys[i] = key(fmt.Sprint("agreement ", i))
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), crand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs, disagree := 0, 0, map[cert.Reason]int{}
	for round := range rounds {
		c := chance{rand.New(rand.NewPCG(uint64(round), 1))}
		strange := c.rarely(2)
		order := c.Perm(len(keys))
		depth := c.IntN(4) // intermediates
		// From the root down; the last is the leaf.
		var ders [][]byte
		var parent *x509.Certificate
		var by *ecdsa.PrivateKey
		bad := false
		for i := range depth + 2 {
			leaf := i == depth+1
			role := fmt.Sprintf("ca %d", i)
			if leaf {
				role = "leaf"
			}
			tmpl := c.template(role, !leaf, strange)
			if !strange {
				tmpl.MaxPathLen = -1
			}
			own := keys[order[i]]
			if strange && c.rarely(20) {
				own = keys[c.IntN(len(keys))]
			}
			if strange && c.rarely(40) {
				own = p384
			}
			if parent == nil {
				parent, by = tmpl, own
			}
			if strange && c.rarely(20) {
				by = keys[c.IntN(len(keys))]
			}
			der, err := x509.CreateCertificate(crand.Reader, tmpl, parent, &own.PublicKey, by)
			if err != nil {
				bad = true // this one it doesn't even make
				break
			}
			ders = append(ders, der)
			if parent, err = x509.ParseCertificate(der); err != nil {
				bad = true
				break
			}
			by = own
		}
		if bad {
			continue
		}
		anchors := ders[0]
		if c.rarely(3) {
			anchors = cat(ders[min(1, depth)], ders[0])
		}
		var chain []byte
		for i := len(ders) - 1; i > 0; i-- {
			chain = append(chain, ders[i]...)
		}
		if depth < 3 && c.rarely(3) {
			chain = append(chain, ders[0]...)
		}
		when := at
		if strange && c.rarely(4) {
			when = at + int64(c.IntN(3)) - 1
		}

		l, err := cert.Verify(chain, anchors, when)
		theirErr := standard(chain, anchors, when)
		if theirErr == nil {
			theirs++
		}
		if err != nil {
			if theirErr == nil {
				disagree[cert.ReasonOf(err)]++
			}
			if r := cert.ReasonOf(err); !strange && r != cert.Name && r != cert.Vendor {
				t.Errorf("round %d: a plain chain is refused: %v\nchain %x\nanchors %x", round, err, chain, anchors)
			}
			continue
		}
		ours++
		if theirErr != nil {
			t.Errorf("round %d: accepted here, but crypto/x509 says: %v\nchain %x\nanchors %x", round, theirErr, chain, anchors)
		}
		checkLeaf(t, l, ders[len(ders)-1])
	}
	t.Logf("%d of %d accepted here, %d by crypto/x509; the difference: %v", ours, rounds, theirs, disagree)
	if ours < rounds/4 {
		t.Errorf("only %d of %d chains are accepted: the test tests nothing", ours, rounds)
	}
}

// checkLeaf compares what a leaf says with what crypto/x509 reads in it.
func checkLeaf(t *testing.T, l *cert.Leaf, der []byte) {
	t.Helper()
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := tx.ParsePublicKey(l.Key)
	if err != nil {
		t.Fatal(err)
	}
	point, err := c.PublicKey.(*ecdsa.PublicKey).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	x, y := elliptic.UnmarshalCompressed(elliptic.P256(), pub.Bytes)
	if !bytes.Equal(uncompressed(x, y), point) {
		t.Errorf("key %x, want %x", l.Key, point)
	}
	if string(l.Subject) != string(c.RawSubject) || l.CommonName != c.Subject.CommonName || l.SerialNumber != c.Subject.SerialNumber {
		t.Errorf("subject %x, %q, %q, want %v", l.Subject, l.CommonName, l.SerialNumber, c.Subject)
	}
	if l.NotBefore != c.NotBefore.Unix() || l.NotAfter != c.NotAfter.Unix() || l.Until > l.NotAfter {
		t.Errorf("valid from %d to %d, until %d, want %v to %v", l.NotBefore, l.NotAfter, l.Until, c.NotBefore, c.NotAfter)
	}
	if string(l.Path[0].Serial) != string(c.SerialNumber.Bytes()) {
		t.Errorf("serial %x, want %x", l.Path[0].Serial, c.SerialNumber.Bytes())
	}
}

func uncompressed(x, y *big.Int) []byte {
	b := make([]byte, 65)
	b[0] = 4
	x.FillBytes(b[1:33])
	y.FillBytes(b[33:])
	return b
}
