// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"time"
)

// The API server, spoken to in JSON.
type apiClient struct {
	base   string
	plain  *http.Client // for calls: with a deadline
	stream *http.Client // for watches: without
}

// An answer of the API server that is no success.
type apiError struct {
	Code    int    `json:"code"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

func (e *apiError) Error() string { return fmt.Sprintf("%d %s: %s", e.Code, e.Reason, e.Message) }

func hasCode(err error, code int) bool {
	var status *apiError
	return errors.As(err, &status) && status.Code == code
}

const (
	jsonBody   = "application/json"
	mergePatch = "application/merge-patch+json"
)

func newAPIClient(base, authority, certificate, key string) (*apiClient, error) {
	pem, err := os.ReadFile(authority)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", authority)
	}
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		TLSClientConfig:     &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}},
		MaxIdleConnsPerHost: 64,
		ForceAttemptHTTP2:   true,
	}
	return &apiClient{
		base:   base,
		plain:  &http.Client{Transport: transport, Timeout: 30 * time.Second},
		stream: &http.Client{Transport: transport},
	}, nil
}

func (a *apiClient) call(method, path, kind string, body, into any) error {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequest(method, a.base+path, content)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", kind)
	request.Header.Set("Accept", jsonBody)
	answer, err := a.plain.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode >= 300 {
		return readError(answer)
	}
	if into == nil {
		_, err = io.Copy(io.Discard, answer.Body)
		return err
	}
	return json.NewDecoder(answer.Body).Decode(into)
}

func readError(answer *http.Response) error {
	status := &apiError{}
	if json.NewDecoder(answer.Body).Decode(status) != nil || status.Code == 0 {
		status = &apiError{Code: answer.StatusCode, Reason: answer.Status}
	}
	return status
}

func (a *apiClient) get(path string, into any) error {
	return a.call(http.MethodGet, path, jsonBody, nil, into)
}

func (a *apiClient) post(path string, body, into any) error {
	return a.call(http.MethodPost, path, jsonBody, body, into)
}

func (a *apiClient) patch(path string, body any) error {
	return a.call(http.MethodPatch, path, mergePatch, body, nil)
}

// persist repeats a call that must arrive until the server has answered it: what was asked of a
// server that is being restarted is asked of the next one.
func (a *apiClient) persist(ctx context.Context, what string, call func() error) error {
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		err := call()
		var status *apiError
		if err == nil || errors.As(err, &status) && status.Code < 500 && status.Code != 429 && status.Code != 401 {
			return err
		}
		log.Printf("%s: %v", what, err)
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}

type watchEvent struct {
	Type   string          `json:"type"`
	Object json.RawMessage `json:"object"`
}

// follow lists a resource and watches it for ever: `replace` gets what a list has, `event` what
// changes afterwards.
func (a *apiClient) follow(resource string, replace func([]json.RawMessage), event func(watchEvent)) {
	for {
		var list struct {
			Metadata meta              `json:"metadata"`
			Items    []json.RawMessage `json:"items"`
		}
		if err := a.get("/api/v1/"+resource, &list); err != nil {
			log.Printf("listing %s: %v", resource, err)
			time.Sleep(200 * time.Millisecond)
			continue
		}
		replace(list.Items)
		version := list.Metadata.ResourceVersion
		for version != "" {
			version = a.watch(resource, version, event)
		}
	}
}

// watch gives the version to go on from; none when a new list is needed.
func (a *apiClient) watch(resource, version string, event func(watchEvent)) string {
	query := url.Values{"watch": {"1"}, "allowWatchBookmarks": {"true"}, "resourceVersion": {version}}
	answer, err := a.stream.Get(a.base + "/api/v1/" + resource + "?" + query.Encode())
	if err != nil {
		time.Sleep(100 * time.Millisecond)
		return version
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		time.Sleep(100 * time.Millisecond)
		return ""
	}
	for events := json.NewDecoder(answer.Body); ; {
		var next watchEvent
		if events.Decode(&next) != nil {
			return version
		}
		if next.Type == "ERROR" {
			return ""
		}
		var object struct {
			Metadata meta `json:"metadata"`
		}
		if json.Unmarshal(next.Object, &object) != nil {
			return ""
		}
		version = object.Metadata.ResourceVersion
		if next.Type != "BOOKMARK" {
			event(next)
		}
	}
}
