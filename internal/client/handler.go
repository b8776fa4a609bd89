package client

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
)

// InProcess is the http.Client that hands requests straight to a handler: the same API without a network.
func InProcess(handler http.Handler) *http.Client {
	return &http.Client{
		Transport:     handlerTransport{handler},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

type handlerTransport struct{ handler http.Handler }

// RoundTrip serves the request and gives the whole answer, held in memory.
func (t handlerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	served := r.Clone(r.Context())
	served.RequestURI = r.URL.RequestURI()
	served.RemoteAddr = "127.0.0.1:0"
	served.Host = r.URL.Host
	if served.Body == nil {
		served.Body = http.NoBody
	}
	defer served.Body.Close()
	answer := &answer{header: http.Header{}}
	t.handler.ServeHTTP(answer, served)
	answer.WriteHeader(http.StatusOK)
	return &http.Response{
		Status: strconv.Itoa(answer.status) + " " + http.StatusText(answer.status), StatusCode: answer.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: answer.sent, Body: io.NopCloser(&answer.body), ContentLength: int64(answer.body.Len()), Request: r,
	}, nil
}

// answer collects what a handler writes.
type answer struct {
	header, sent http.Header
	status       int
	body         bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status, a.sent = status, a.header.Clone()
	}
}

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}
