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
	// clockSkew is how far the clocks of two nodes may be apart.
	clockSkew = 5 * time.Minute
	// largestRequest bounds what a node reads of a request.
	largestRequest = 64 << 20
)

// digest is the keyed digest of a request.
func digest(secret []byte, method, target, version, at string, body []byte) string {
	mac := hmac.New(sha256.New, secret)
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

// check refuses requests of nodes without the secret or of another plan version.
func check(r *http.Request, secret, body []byte) error {
	version := r.Header.Get(versionHeader)
	if len(secret) > 0 {
		at := r.Header.Get(timeHeader)
		seconds, err := strconv.ParseInt(at, 10, 64)
		want := digest(secret, r.Method, r.URL.RequestURI(), version, at, body)
		if err != nil || subtle.ConstantTimeCompare([]byte(want), []byte(r.Header.Get(digestHeader))) != 1 {
			return sqlerr.New(sqlerr.InvalidAuthorizationSpecification, "a node without the cluster's secret was refused").
				WithHint("Set cluster.secret to the same value on all nodes.")
		}
		if apart := time.Since(time.Unix(seconds, 0)); apart > clockSkew || apart < -clockSkew {
			return sqlerr.New(sqlerr.InvalidAuthorizationSpecification, "a node was refused whose clock is %s apart", apart.Round(time.Second)).
				WithHint("Synchronize the clocks of all nodes.")
		}
	}
	if version != strconv.Itoa(Version) {
		return sqlerr.New(sqlerr.FeatureNotSupported, "a node of plan version %q was refused: this one has version %d", version, Version).
			WithHint("Run the same version of Tarn on all nodes.")
	}
	return nil
}
