// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title What the registry must be told of one credential to verify it
struct Credential {
    bytes32 salt;
    uint32 list;
    uint32 statusIndex;
    bytes32 credentialHash;
}

/// @title Batches' trees, built level by level, written out once more from design section 4
library Trees {
    function leafOf(Credential memory credential) internal pure returns (bytes32) {
        return sha256(
            abi.encodePacked(
                bytes1(0), credential.salt, credential.list, credential.statusIndex, credential.credentialHash
            )
        );
    }

    function rootOf(bytes32[] memory leaves) internal pure returns (bytes32) {
        while (leaves.length > 1) leaves = levelAbove(leaves);
        return leaves[0];
    }

    function pathOf(bytes32[] memory leaves, uint256 index) internal pure returns (bytes32[] memory path) {
        while (leaves.length > 1) {
            uint256 sibling = index ^ 1;
            if (sibling < leaves.length) path = _with(path, leaves[sibling]);
            leaves = levelAbove(leaves);
            index >>= 1;
        }
    }

    /// @dev Pairs from left to right; a last odd node moves up unchanged.
    function levelAbove(bytes32[] memory level) internal pure returns (bytes32[] memory above) {
        above = new bytes32[]((level.length + 1) / 2);
        for (uint256 i = 0; i < above.length; ++i) {
            bool isPair = 2 * i + 1 < level.length;
            above[i] = isPair ? sha256(bytes.concat(level[2 * i], level[2 * i + 1])) : level[2 * i];
        }
    }

    function _with(bytes32[] memory path, bytes32 sibling) private pure returns (bytes32[] memory longer) {
        longer = new bytes32[](path.length + 1);
        for (uint256 i = 0; i < path.length; ++i) {
            longer[i] = path[i];
        }
        longer[path.length] = sibling;
    }
}
