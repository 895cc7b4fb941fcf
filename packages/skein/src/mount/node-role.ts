// Whether the clients of a node may write, or the node follows another one whose clients may.
//
// It is given when the node is started, and stays.

export type NodeRole = 'primary' | 'replica';
