// Package statetest tells whether a storage keeps the promises of [state.DB]
// ([Run]), and wraps one in order to break them ([Faults]).
package statetest
