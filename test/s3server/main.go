// Command s3server is the S3 server of Tarn's tests, benchmarks and demo: versitygw over a directory,
// whose subdirectories are the buckets. It stops when its standard input ends, so that it does not
// outlive a killed test.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address; with port 0 a free one is chosen")
	directory := flag.String("dir", "", "directory of the buckets")
	buckets := flag.String("buckets", "", "buckets to make, with commas between")
	access := flag.String("access", "tarn", "access key")
	secret := flag.String("secret", "tarn-secret", "secret key")
	region := flag.String("region", "us-east-1", "region")
	log := flag.String("log", "", "file of the access log")
	wait := flag.Bool("wait", false, "run until killed, whatever standard input does")
	flag.Parse()
	if err := run(*listen, *directory, *buckets, *access, *secret, *region, *log, *wait); err != nil {
		fmt.Fprintln(os.Stderr, "s3server:", err)
		os.Exit(1)
	}
}

func run(listen, directory, buckets, access, secret, region, log string, wait bool) error {
	root, err := filepath.Abs(directory)
	if err != nil || directory == "" {
		return fmt.Errorf("-dir %q: %v", directory, err)
	}
	if log != "" {
		if log, err = filepath.Abs(log); err != nil {
			return err
		}
	}
	for bucket := range strings.SplitSeq(buckets, ",") {
		if err := os.MkdirAll(filepath.Join(root, bucket), 0o755); err != nil {
			return err
		}
	}
	if listen, err = free(listen); err != nil {
		return err
	}
	var storer meta.MetadataStorer = meta.XattrMeta{}
	if err := (meta.XattrMeta{}).Test(root); err != nil { // a file system without extended attributes
		if storer, err = sidecar(root + ".meta"); err != nil {
			return err
		}
	}
	storage, err := posix.New(root, storer, posix.PosixOpts{IOBufferSize: 128 << 10, Concurrency: 64, CopyObjectThreshold: 5 << 30})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	if !wait {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			stop()
			time.Sleep(2 * time.Second)
			os.Exit(0)
		}()
	}
	go announce(listen)
	return embedgw.RunVersityGW(ctx, storage, &embedgw.Config{RootUserAccess: access, RootUserSecret: secret, Region: region, Ports: []string{listen},
		MaxConnections: 1024, MaxRequests: 1024, MultipartMaxParts: 10000, KeepAlive: true, Quiet: true, AccessLog: log})
}

func sidecar(directory string) (meta.MetadataStorer, error) {
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return nil, err
	}
	return meta.NewSideCar(directory)
}

// free chooses a port if none is given.
func free(listen string) (string, error) {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// announce prints the server's URL once it answers.
func announce(listen string) {
	for {
		c, err := net.DialTimeout("tcp", listen, time.Second)
		if err == nil {
			c.Close()
			fmt.Printf("http://%s\n", listen)
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}
