// Panics two calls deep, with another goroutine waiting.
package main

import (
	"fmt"
	"os"
	"sync"
)

type reader struct{ values []int }

//go:noinline
func (r *reader) third(at int) int { return r.values[at] }

//go:noinline
func read(r *reader) int { return r.third(3) + 1 }

func main() {
	var group sync.WaitGroup
	group.Add(1)
	ready := make(chan bool)
	go func() {
		ready <- true
		group.Wait()
	}()
	<-ready
	if len(os.Args) > 1 {
		var nowhere *reader
		fmt.Println(read(nowhere))
	}
	fmt.Println(read(&reader{values: []int{1, 2}}))
}
