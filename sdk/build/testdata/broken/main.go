//go:build wasip1

package main

func main() {
	undefined()
	var number int = "text"
}
