package rpc

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

const (
	versionHeader = "Tarn-Version"
	timeHeader    = "Tarn-Time"
	digestHeader  = "Tarn-Digest"
	nodeHeader    = "Tarn-Node" // who asks, for logs; not proven by anything
	// clockSkew is how far the clocks of two nodes may be apart.
	clockSkew = 5 * time.Minute
	// largestRequest bounds what a node reads of a request.
	largestRequest = 64 << 20
)

// keyOf makes the key of digests: HMAC's own would be the same for secrets that differ in zeros at the end.
func keyOf(secret string) []byte {
	key := sha256.Sum256([]byte("tarn rpc " + secret))
	return key[:]
}

// digest is the keyed digest of a request.
func digest(key []byte, method, target, version, at string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	for _, part := range []string{method, target, version, at} {
		mac.Write([]byte(part))
		mac.Write([]byte{0})
	}
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// sign makes a request pass check.
func sign(r *http.Request, secret, body []byte) {
	version := strconv.Itoa(Version)
	r.Header.Set(versionHeader, version)
	if len(secret) == 0 {
		return
	}
	at := strconv.FormatInt(time.Now().Unix(), 10)
	r.Header.Set(timeHeader, at)
	r.Header.Set(digestHeader, digest(secret, r.Method, r.URL.RequestURI(), version, at, body))
}

// errStranger is what a node gets that does not know the secret.
func errStranger() error {
	return sqlerr.New(sqlerr.InvalidAuthorizationSpecification, "a node without the cluster's secret was refused").
		WithHint("Set cluster.secret to the same value on all nodes.")
}

// precheck refuses what needs no look at the body.
func precheck(r *http.Request, secrets [][]byte) error {
	if len(secrets) == 0 {
		return nil
	}
	seconds, err := strconv.ParseInt(r.Header.Get(timeHeader), 10, 64)
	if err != nil || len(r.Header.Get(digestHeader)) != 2*sha256.Size {
		return errStranger()
	}
	if apart := time.Since(time.Unix(seconds, 0)); apart > clockSkew || apart < -clockSkew {
		return sqlerr.New(sqlerr.InvalidAuthorizationSpecification, "a node was refused whose clock is %s apart", apart.Round(time.Second)).
			WithHint("Synchronize the clocks of all nodes.")
	}
	return nil
}

// check refuses requests of nodes without one of the secrets, or of another plan version.
func check(r *http.Request, secrets [][]byte, body []byte) error {
	version := r.Header.Get(versionHeader)
	known := len(secrets) == 0
	for _, secret := range secrets {
		want := digest(secret, r.Method, r.URL.RequestURI(), version, r.Header.Get(timeHeader), body)
		if subtle.ConstantTimeCompare([]byte(want), []byte(r.Header.Get(digestHeader))) == 1 {
			known = true
			break
		}
	}
	if !known {
		return errStranger()
	}
	if version != strconv.Itoa(Version) {
		return sqlerr.New(sqlerr.FeatureNotSupported, "a node of plan version %q was refused: this one has version %d", version, Version).
			WithHint("Run the same version of Tarn on all nodes.")
	}
	return nil
}

// claimed is who a request says that it is from.
func claimed(r *http.Request) string {
	name := r.Header.Get(nodeHeader)
	return name[:min(len(name), 200)]
}
