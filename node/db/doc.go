// Package db keeps ordered rows in a folder: LevelDB (goleveldb), imported here
// and nowhere else in this repository.
//
// Batches are atomic: LevelDB writes each as one record of its journal, with
// checksums, and a record that a dying process left half written is dropped when
// the folder is opened again. Of a damaged journal LevelDB drops the damaged
// record and goes on with the next, which would apply a block to the state of
// two blocks before. Open therefore reads the journals first and refuses that:
// a record may be missing at the end and nowhere else. Damage inside the last
// two records cannot always be told from a crash; then both are missing, as if
// the crash had come before them.
//
// An unsynced batch may be lost in a power cut, and then also be missing in
// front of a synced one that was being written; it is for bulk loads and tests.
//
// The first write that fails closes the door to all later ones: after a failed
// fsync nobody knows which pages reached the disk, and only opening the folder
// again tells.
package db
