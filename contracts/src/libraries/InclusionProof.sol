// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title Leaves and paths of a batch's tree (design section 4, docs/spec/anchor-proof.md)
/// @notice SHA-256; levels are paired left to right, a last odd node moves up unchanged. OpenZeppelin's `MerkleProof` is of
/// another tree: it sorts pairs, where here the position decides.
library InclusionProof {
    /// @dev First byte of every leaf's preimage: 73 bytes, where a node's are 64.
    bytes1 private constant _LEAF_TAG = 0x00;

    /// @notice Leaf of a credential.
    /// @param salt The credential's 32 random bytes.
    /// @param list Number of its status list.
    /// @param statusIndex Its status index.
    /// @param credentialHash SHA-256 of its canonical bytes.
    function leafOf(bytes32 salt, uint32 list, uint32 statusIndex, bytes32 credentialHash)
        internal
        pure
        returns (bytes32)
    {
        return sha256(abi.encodePacked(_LEAF_TAG, salt, list, statusIndex, credentialHash));
    }

    /// @notice Whether a path leads from a leaf to the root of a tree of this size, with no sibling too few or too many.
    /// @param root Root of the tree.
    /// @param leaf The leaf.
    /// @param leafIndex Its position, from 0.
    /// @param size Leaf count of the tree.
    /// @param path Siblings from the leaf level up.
    function leadsToRoot(bytes32 root, bytes32 leaf, uint32 leafIndex, uint32 size, bytes32[] calldata path)
        internal
        pure
        returns (bool)
    {
        if (leafIndex >= size) return false;
        bytes32 node = leaf;
        uint256 used = 0;
        // Wider than the operands: the width of the next level is rounded up.
        uint256 index = leafIndex;
        for (uint256 width = size; width > 1; width = (width + 1) >> 1) {
            bool isRight = index & 1 == 1;
            if (isRight || index + 1 < width) {
                if (used == path.length) return false;
                node = isRight ? _nodeOf(path[used], node) : _nodeOf(node, path[used]);
                ++used;
            }
            index >>= 1;
        }
        return used == path.length && node == root;
    }

    function _nodeOf(bytes32 left, bytes32 right) private pure returns (bytes32) {
        return sha256(abi.encodePacked(left, right));
    }
}
