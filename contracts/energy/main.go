// Energy is a market for what meters say.
package main

func main() {}
