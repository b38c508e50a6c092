package lifecycle

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// Progress tells who waits what has been done, and when.
type Progress struct {
	out   io.Writer
	began time.Time
	lock  sync.Mutex
}

// NewProgress begins to count.
func NewProgress(out io.Writer) *Progress { return &Progress{out: out, began: time.Now()} }

// Say writes a line.
func (p *Progress) Say(format string, arguments ...any) {
	p.lock.Lock()
	defer p.lock.Unlock()
	fmt.Fprintf(p.out, "    %5.1f s  %s\n", time.Since(p.began).Seconds(), fmt.Sprintf(format, arguments...))
}
