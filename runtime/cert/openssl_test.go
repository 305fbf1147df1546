//go:build openssl

package cert_test

import (
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wardledger/ward/runtime/cert"
)

// authority makes certificates with the openssl command in a folder of its own.
type authority struct {
	t   *testing.T
	dir string
}

func (a authority) run(args ...string) (string, error) {
	cmd := exec.Command("openssl", args...)
	cmd.Dir = a.dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (a authority) must(args ...string) {
	a.t.Helper()
	if out, err := a.run(args...); err != nil {
		a.t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// issue makes a P-256 key and a certificate for it; an issuer of "" signs itself.
func (a authority) issue(name, subject, issuer, extensions string, more ...string) []byte {
	a.t.Helper()
	a.must("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", name+".key")
	if err := os.WriteFile(filepath.Join(a.dir, name+".ext"), []byte(oids+"[x]\n"+extensions), 0o600); err != nil {
		a.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(a.dir, "req.cnf"), []byte(oids+"[req]\ndistinguished_name=dn\nstring_mask=utf8only\n[dn]\n"), 0o600); err != nil {
		a.t.Fatal(err)
	}
	a.must("req", "-new", "-config", "req.cnf", "-key", name+".key", "-subj", subject, "-out", name+".csr")
	args := []string{"x509", "-req", "-sha256", "-in", name + ".csr", "-extfile", name + ".ext", "-extensions", "x", "-out", name + ".pem"}
	if issuer == "" {
		args = append(args, "-signkey", name+".key")
	} else {
		args = append(args, "-CA", issuer+".pem", "-CAkey", issuer+".key", "-CAcreateserial")
	}
	a.must(append(args, more...)...)
	return a.read(name)
}

// issueForever is issue with 99991231235959Z, which only the ca command can write in every release.
func (a authority) issueForever(name, subject, issuer string) []byte {
	a.t.Helper()
	config := "[ca]\ndefault_ca=c\n[c]\ndatabase=index.txt\nnew_certs_dir=.\nrand_serial=yes\ndefault_md=sha256\npolicy=p\npreserve=yes\n" +
		"[p]\norganizationName=optional\ncommonName=supplied\nserialNumber=optional\n[x]\n" + leafExt
	for file, text := range map[string]string{"ca.cnf": config, "index.txt": ""} {
		if err := os.WriteFile(filepath.Join(a.dir, file), []byte(text), 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
	a.must("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", name+".key")
	a.must("req", "-new", "-config", "req.cnf", "-key", name+".key", "-subj", subject, "-out", name+".csr")
	a.must("ca", "-batch", "-notext", "-config", "ca.cnf", "-extensions", "x", "-cert", issuer+".pem", "-keyfile", issuer+".key",
		"-startdate", "20200101000000Z", "-enddate", "99991231235959Z", "-in", name+".csr", "-out", name+".pem")
	return a.read(name)
}

func (a authority) read(name string) []byte {
	a.t.Helper()
	text, err := os.ReadFile(filepath.Join(a.dir, name+".pem"))
	if err != nil {
		a.t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	return block.Bytes
}

// oids stands before the first section, where openssl looks for it.
const oids = "oid_section=oids\n[oids]\nmatterVID=1.3.6.1.4.1.37244.2.1\nmatterPID=1.3.6.1.4.1.37244.2.2\n"

const (
	caExt   = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
	leafExt = "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
)

// TestOpenSSL: chains as the openssl command makes them. What we accept it accepts.
func TestOpenSSL(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("NOT TESTED against OpenSSL: there is no openssl command")
	}
	a := authority{t, t.TempDir()}
	if out, err := a.run("version"); err == nil {
		t.Log(strings.TrimSpace(out))
	}
	day := func(n int) []string { return []string{"-days", fmt.Sprint(n)} }

	root := a.issue("root", "/O=Acme/CN=Acme Root", "", caExt, day(20000)...)
	sub := a.issue("sub", "/O=Acme/CN=Acme IDevID CA", "root", strings.Replace(caExt, "CA:TRUE", "CA:TRUE,pathlen:0", 1), day(15000)...)
	// IEEE 802.1AR: serialNumber in the subject, hardwareModuleName (RFC 4108) beside it.
	idevid := a.issue("idevid", "/O=Acme/CN=Lock 7/serialNumber=ACME-0007", "sub",
		leafExt+"subjectAltName=otherName:1.3.6.1.5.5.7.8.4;SEQ:hw\n[hw]\ntype=OID:1.3.6.1.4.1.99999.7\nserial=FORMAT:HEX,OCT:00010203\n", day(9000)...)
	paa := a.issue("paa", "/CN=Matter PAA/matterVID=FFF1", "", strings.Replace(caExt, "CA:TRUE", "CA:TRUE,pathlen:1", 1), day(20000)...)
	pai := a.issue("pai", "/CN=Matter PAI/matterVID=FFF1/matterPID=8000", "paa", strings.Replace(caExt, "CA:TRUE", "CA:TRUE,pathlen:0", 1), day(15000)...)
	dac := a.issue("dac", "/CN=Matter DAC/matterVID=FFF1/matterPID=8000", "pai", leafExt, day(9000)...)
	otherDAC := a.issue("dac2", "/CN=Matter DAC/matterVID=FFF2/matterPID=8000", "pai", leafExt)
	tls := a.issue("tls", "/CN=lock.example.com", "sub", leafExt+"extendedKeyUsage=clientAuth,serverAuth\nsubjectAltName=DNS:lock.example.com\ncrlDistributionPoints=URI:http://crl.example.com/1\nauthorityInfoAccess=OCSP;URI:http://ocsp.example.com\ncertificatePolicies=1.2.3.4\n")
	shortLived := a.issue("short", "/CN=short", "sub", leafExt, day(1)...)
	fullAKI := a.issue("fullaki", "/CN=full", "sub", strings.Replace(leafExt, "=keyid", "=keyid,issuer:always", 1))
	constrained := a.issue("constrained", "/CN=Constrained", "root", caExt+"nameConstraints=critical,permitted;DNS:example.com\n")
	underConstrained := a.issue("under", "/CN=Lock 8", "constrained", leafExt)
	deep := a.issue("deep", "/CN=Deep", "sub", caExt)
	underDeep := a.issue("underdeep", "/CN=Lock 9", "deep", leafExt)
	strangeUse := a.issue("strange", "/CN=Lock 10", "sub", strings.Replace(leafExt, "digitalSignature", "keyAgreement", 1))
	sha384 := a.issue("sha384", "/CN=Lock 11", "sub", leafExt, "-sha384")
	caLeaf := a.issue("caleaf", "/CN=Lock 12", "root", caExt)

	// With the end that 802.1AR recommends, and the start that every clock has passed.
	forever := a.issueForever("forever", "/O=Acme/CN=Meter 1/serialNumber=ACME-0008", "root")
	now := time.Now().Unix()
	for _, c := range []struct {
		name           string
		files          []string // of the chain
		chain, anchors []byte
		root           string
		at             int64
		want           cert.Reason
	}{
		{name: "IDevID", files: []string{"idevid", "sub"}, chain: cat(idevid, sub), anchors: root, root: "root", at: now},
		{name: "IDevID with the root", files: []string{"idevid", "sub", "root"}, chain: cat(idevid, sub, root), anchors: root, root: "root", at: now},
		{name: "IDevID in twenty years", files: []string{"idevid", "sub"}, chain: cat(idevid, sub), anchors: root, root: "root", at: now + 20*365*86400},
		{name: "IDevID in a hundred years", files: []string{"idevid", "sub"}, chain: cat(idevid, sub), anchors: root, root: "root", at: now + 100*365*86400, want: cert.Expired},
		{name: "IDevID under the intermediate as the anchor", files: []string{"idevid"}, chain: idevid, anchors: sub, root: "sub", at: now},
		{name: "IDevID without an end", files: []string{"forever"}, chain: forever, anchors: root, root: "root", at: now},
		{name: "Matter", files: []string{"dac", "pai"}, chain: cat(dac, pai), anchors: cat(root, paa), root: "paa", at: now},
		{name: "Matter, another vendor", files: []string{"dac2", "pai"}, chain: cat(otherDAC, pai), anchors: paa, root: "paa", at: now, want: cert.Vendor},
		{name: "a TLS client's extensions", files: []string{"tls", "sub"}, chain: cat(tls, sub), anchors: root, root: "root", at: now},
		{name: "a day", files: []string{"short", "sub"}, chain: cat(shortLived, sub), anchors: root, root: "root", at: now},
		{name: "after the day", files: []string{"short", "sub"}, chain: cat(shortLived, sub), anchors: root, root: "root", at: now + 3*86400, want: cert.Expired},
		{name: "before it", files: []string{"short", "sub"}, chain: cat(shortLived, sub), anchors: root, root: "root", at: now - 86400, want: cert.NotYetValid},
		{name: "authority key id with issuer", files: []string{"fullaki", "sub"}, chain: cat(fullAKI, sub), anchors: root, root: "root", at: now, want: cert.Extension},
		{name: "name constraints", files: []string{"under", "constrained"}, chain: cat(underConstrained, constrained), anchors: root, root: "root", at: now, want: cert.Constraint},
		{name: "path too long", files: []string{"underdeep", "deep", "sub"}, chain: cat(underDeep, deep, sub), anchors: root, root: "root", at: now, want: cert.PathLength},
		{name: "keyAgreement only", files: []string{"strange", "sub"}, chain: cat(strangeUse, sub), anchors: root, root: "root", at: now, want: cert.KeyUsage},
		{name: "SHA-384", files: []string{"sha384", "sub"}, chain: cat(sha384, sub), anchors: root, root: "root", at: now, want: cert.Algorithm},
		{name: "a CA as the leaf", files: []string{"caleaf"}, chain: caLeaf, anchors: root, root: "root", at: now, want: cert.LeafIsCA},
		{name: "another root", files: []string{"idevid", "sub"}, chain: cat(idevid, sub), anchors: paa, root: "paa", at: now, want: cert.NoAnchor},
	} {
		l, err := cert.Verify(c.chain, c.anchors, c.at)
		if cert.ReasonOf(err) != c.want || (err == nil) != (c.want == 0) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		args := []string{"verify", "-x509_strict", "-partial_chain", "-attime", fmt.Sprint(c.at), "-trusted", c.root + ".pem"}
		for _, f := range c.files[1:] {
			args = append(args, "-untrusted", f+".pem")
		}
		out, theirs := a.run(append(args, c.files[0]+".pem")...)
		if err == nil && theirs != nil {
			t.Errorf("%s: accepted here, but openssl says: %s", c.name, out)
		}
		if err == nil && c.name == "IDevID" && (l.CommonName != "Lock 7" || l.SerialNumber != "ACME-0007") {
			t.Errorf("%s: %+v", c.name, l)
		}
		t.Logf("%-45s here: %v; openssl: %v", c.name, err, theirs == nil)
	}
}
