//go:build wasip1

// Command mute is a program that is no contract.
package main

func main() {}
