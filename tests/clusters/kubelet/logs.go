// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// What a reader of a container's log wants.
type logWish struct {
	follow, timestamps bool
	since              time.Time
	tail               int   // lines; -1: all
	limit              int64 // bytes; -1: all
}

func readWish(query url.Values, moment time.Time) (logWish, error) {
	wish := logWish{tail: -1, limit: -1}
	wish.follow = query.Get("follow") == "true"
	wish.timestamps = query.Get("timestamps") == "true"
	if query.Get("previous") == "true" {
		return wish, errors.New("previous terminated container not found")
	}
	var err error
	if text := query.Get("tailLines"); text != "" {
		if wish.tail, err = strconv.Atoi(text); err != nil || wish.tail < 0 {
			return wish, fmt.Errorf("tailLines: %q is not a number", text)
		}
	}
	if text := query.Get("limitBytes"); text != "" {
		if wish.limit, err = strconv.ParseInt(text, 10, 64); err != nil || wish.limit < 1 {
			return wish, fmt.Errorf("limitBytes: %q is not a positive number", text)
		}
	}
	if text := query.Get("sinceTime"); text != "" {
		if wish.since, err = time.Parse(time.RFC3339Nano, text); err != nil {
			return wish, fmt.Errorf("sinceTime: %w", err)
		}
	}
	if text := query.Get("sinceSeconds"); text != "" {
		seconds, err := strconv.Atoi(text)
		if err != nil {
			return wish, fmt.Errorf("sinceSeconds: %q is not a number", text)
		}
		wish.since = moment.Add(-time.Duration(seconds) * time.Second)
	}
	return wish, nil
}

// render gives what the reader sees of a line of the file, and whether that was the last.
func (w *logWish) render(line string) (string, bool) {
	stamp, text, _ := strings.Cut(line, " ")
	if !w.since.IsZero() {
		if moment, err := time.Parse(time.RFC3339Nano, stamp); err == nil && moment.Before(w.since) {
			return "", false
		}
	}
	if w.timestamps {
		text = line
	}
	if w.limit < 0 {
		return text, false
	}
	if int64(len(text)) >= w.limit {
		text = text[:w.limit]
	}
	w.limit -= int64(len(text))
	return text, w.limit == 0
}

// skipToTail moves a file to where its last lines begin.
func skipToTail(file *os.File, lines int) error {
	all, err := io.ReadAll(file)
	if err != nil {
		return err
	}
	from := len(all)
	for from > 0 && lines > 0 {
		from = strings.LastIndexByte(string(all[:from-1]), '\n') + 1
		lines--
	}
	_, err = file.Seek(int64(from), io.SeekStart)
	return err
}

// serveLog answers /containerLogs/NAMESPACE/POD/CONTAINER.
func (n *node) serveLog(answer http.ResponseWriter, request *http.Request) {
	parts := strings.Split(strings.TrimPrefix(request.URL.Path, "/containerLogs/"), "/")
	if len(parts) != 3 {
		http.Error(answer, "no such path", http.StatusNotFound)
		return
	}
	wish, err := readWish(request.URL.Query(), time.Now())
	if err != nil {
		http.Error(answer, err.Error(), http.StatusBadRequest)
		return
	}
	one := n.find(parts[0], parts[1])
	if one == nil {
		http.Error(answer, fmt.Sprintf("pod %q not found", parts[1]), http.StatusNotFound)
		return
	}
	file, err := one.openLog(parts[2])
	if err != nil {
		http.Error(answer, err.Error(), http.StatusBadRequest)
		return
	}
	defer file.Close()
	if wish.tail >= 0 {
		if err := skipToTail(file, wish.tail); err != nil {
			http.Error(answer, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	answer.Header().Set("Content-Type", "text/plain")
	one.copyLog(answer, request, file, parts[2], &wish)
}

func (n *node) find(namespace, name string) *pod {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	for _, one := range n.pods {
		if one.object.Metadata.Namespace == namespace && one.object.Metadata.Name == name {
			return one
		}
	}
	return nil
}

func (p *pod) openLog(container string) (*os.File, error) {
	p.mutex.Lock()
	stands := p.state.containers[container]
	p.mutex.Unlock()
	if stands.Running == nil && stands.Terminated == nil {
		reason := "ContainerCreating"
		if stands.Waiting != nil {
			reason = stands.Waiting.Reason
		}
		return nil, fmt.Errorf("container %q in pod %q is waiting to start: %s", container, p.object.Metadata.Name, reason)
	}
	return os.OpenFile(p.logFile(container), os.O_RDONLY|os.O_CREATE, 0o644)
}

func (p *pod) isRunning(container string) bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.processes[container] != nil
}

func (p *pod) copyLog(answer http.ResponseWriter, request *http.Request, file *os.File, container string, wish *logWish) {
	lines, pending := bufio.NewReader(file), ""
	for {
		running := p.isRunning(container) // asked before the reading: what comes after it is read, too
		for {
			text, err := lines.ReadString('\n')
			pending += text
			if err != nil {
				break
			}
			shown, last := wish.render(pending)
			pending = ""
			if _, err := io.WriteString(answer, shown); err != nil || last {
				return
			}
		}
		if !wish.follow || !running {
			return
		}
		if flusher, can := answer.(http.Flusher); can {
			flusher.Flush()
		}
		select {
		case <-request.Context().Done():
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}
