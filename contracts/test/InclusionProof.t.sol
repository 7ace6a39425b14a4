// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {InclusionProof} from "../src/libraries/InclusionProof.sol";
import {vm} from "./Vm.sol";
import {Trees} from "./support/Trees.sol";

contract InclusionProofTest {
    uint32 private constant _SIZES = 70;

    /* TREES OF EVERY SMALL SIZE */

    function test_leadsToRoot_forEveryLeafOfEverySmallTree() public view {
        for (uint32 size = 1; size <= _SIZES; ++size) {
            this.checkEveryLeaf(size);
        }
    }

    /// @dev A call of its own for each size, so that the trees' memory is given up.
    function checkEveryLeaf(uint32 size) external view {
        (bytes32[] memory leaves, bytes32 root) = _tree(size);
        for (uint32 index = 0; index < size; ++index) {
            vm.assertTrue(_leads(root, leaves[index], index, size, Trees.pathOf(leaves, index)));
        }
    }

    /// At every place, every path of another leaf, and every other leaf, is refused.
    function test_leadsToRoot_notForAnotherPlace() public view {
        for (uint32 size = 1; size <= 17; ++size) {
            (bytes32[] memory leaves, bytes32 root) = _tree(size);
            for (uint32 index = 0; index < size; ++index) {
                bytes32[] memory path = Trees.pathOf(leaves, index);
                for (uint32 other = 0; other < size + 20; ++other) {
                    if (other == index) continue;
                    vm.assertFalse(_leads(root, leaves[index], other, size, path));
                    if (other < size) vm.assertFalse(_leads(root, leaves[other], index, size, path));
                }
            }
        }
    }

    function test_leadsToRoot_notWithOneSiblingMoreOrFewer() public view {
        for (uint32 size = 1; size <= 33; ++size) {
            (bytes32[] memory leaves, bytes32 root) = _tree(size);
            for (uint32 index = 0; index < size; ++index) {
                bytes32[] memory path = Trees.pathOf(leaves, index);
                for (uint256 at = 0; at < path.length; ++at) {
                    vm.assertFalse(_leads(root, leaves[index], index, size, _without(path, at)));
                }
                for (uint256 at = 0; at <= path.length; ++at) {
                    vm.assertFalse(_leads(root, leaves[index], index, size, _with(path, at, root)));
                    // The root of the rest as a sibling above the root: not even if the root were one level up.
                    bytes32 above = sha256(bytes.concat(root, root));
                    vm.assertFalse(_leads(above, leaves[index], index, size, _with(path, path.length, root)));
                }
            }
        }
    }

    /// The size says how deep a leaf lies: a node of the tree is no leaf, nor the root, nor is a leaf the whole tree.
    function test_leadsToRoot_notForNodes() public view {
        for (uint32 size = 2; size <= _SIZES; ++size) {
            (bytes32[] memory leaves, bytes32 root) = _tree(size);
            bytes32[] memory path = Trees.pathOf(leaves, 0);
            vm.assertFalse(_leads(root, root, 0, size, new bytes32[](0)));
            bytes32 node = sha256(bytes.concat(leaves[0], leaves[1]));
            vm.assertFalse(_leads(root, node, 0, size, _without(path, 0)));
            // Of the size of the level above it is one: hence `isIncluded` must be told the size by who knows it.
            vm.assertTrue(_leads(root, node, 0, (size + 1) / 2, _without(path, 0)));
        }
    }

    /// A last odd node moves up unchanged, it is not paired with itself (CVE-2012-2459).
    function test_leadsToRoot_notForALastNodePairedWithItself() public view {
        (bytes32[] memory leaves, bytes32 root) = _tree(3);
        bytes32[] memory doubled = new bytes32[](4);
        (doubled[0], doubled[1], doubled[2], doubled[3]) = (leaves[0], leaves[1], leaves[2], leaves[2]);
        bytes32 doubledRoot = Trees.rootOf(doubled);
        vm.assertFalse(_leads(doubledRoot, leaves[2], 2, 3, Trees.pathOf(doubled, 2)));
        vm.assertFalse(_leads(root, leaves[2], 2, 3, Trees.pathOf(doubled, 2)));
        vm.assertFalse(_leads(root, leaves[2], 3, 4, Trees.pathOf(doubled, 3)));
    }

    function test_leadsToRoot_ofOneLeafIsThatLeaf() public view {
        bytes32 leaf = _leafAt(0);
        vm.assertTrue(_leads(leaf, leaf, 0, 1, new bytes32[](0)));
        vm.assertFalse(_leads(leaf, leaf, 1, 1, new bytes32[](0)));
        vm.assertFalse(_leads(leaf, leaf, 0, 1, new bytes32[](1)));
        vm.assertFalse(_leads(leaf, _leafAt(1), 0, 1, new bytes32[](0)));
    }

    /// Size 0 is "not stated": nothing is in such a batch.
    function test_fuzz_leadsToRoot_notOfSizeZero(bytes32 root, uint32 index, bytes32[] calldata path) public view {
        vm.assertFalse(_leads(root, root, index, 0, path));
    }

    function test_fuzz_leadsToRoot_notBeyondTheEnd(uint16 size, uint32 index) public view {
        size = 1 + size % 300;
        (bytes32[] memory leaves, bytes32 root) = _tree(size);
        bytes32[] memory path = Trees.pathOf(leaves, index % size);
        vm.assertTrue(_leads(root, leaves[index % size], index % size, size, path) == true);
        vm.assertTrue(_leads(root, leaves[index % size], index, size, path) == (index < size));
    }

    function test_fuzz_leadsToRoot_notIfAnyBitDiffers(uint16 size, uint32 index, uint256 bit, uint256 which)
        public
        view
    {
        size = 2 + size % 300;
        index %= size;
        (bytes32[] memory leaves, bytes32 root) = _tree(size);
        bytes32[] memory path = Trees.pathOf(leaves, index);
        bytes32 flip = bytes32(1 << (bit % 256));
        vm.assertTrue(_leads(root, leaves[index], index, size, path));
        vm.assertFalse(_leads(root ^ flip, leaves[index], index, size, path));
        vm.assertFalse(_leads(root, leaves[index] ^ flip, index, size, path));
        path[which % path.length] ^= flip;
        vm.assertFalse(_leads(root, leaves[index], index, size, path));
    }

    /* AGAINST THE TREE FROM ABOVE, FOR ANY SIZE */

    /// The same tree, defined by halves: the left one has the greatest power of two of leaves that leaves some.
    function test_fuzz_leadsToRoot_agreesWithTheTreeFromAbove(uint32 size, uint32 index, bytes32 leaf, bytes32 seed)
        public
        view
    {
        if (size == 0) size = type(uint32).max;
        index %= size;
        bytes32[] memory path = _anyPath(_depthOf(index, size), seed);
        bytes32 root = _fromAbove(leaf, index, size, path, path.length);
        vm.assertTrue(_leads(root, leaf, index, size, path));
        vm.assertFalse(_leads(root, leaf, index, size, _with(path, path.length, seed)));
        vm.assertFalse(_leads(root, ~leaf, index, size, path));
        if (path.length > 0) {
            vm.assertFalse(_leads(root, leaf, index, size, _without(path, path.length - 1)));
            vm.assertFalse(_leads(root, leaf, index, size, _without(path, 0)));
        }
    }

    function test_leadsToRoot_ofTheLargestTree() public view {
        uint32 size = type(uint32).max;
        uint32[6] memory places = [uint32(0), 1, 1 << 31, size - 1, size - 2, size / 3];
        for (uint256 i = 0; i < places.length; ++i) {
            bytes32[] memory path = _anyPath(_depthOf(places[i], size), bytes32(i));
            bytes32 root = _fromAbove(_leafAt(i), places[i], size, path, path.length);
            vm.assertTrue(_leads(root, _leafAt(i), places[i], size, path));
            vm.assertFalse(_leads(root, _leafAt(i), size, size, path));
        }
    }

    /* LEAF */

    function test_leafOf_isTheHashOf73Bytes() public pure {
        bytes memory preimage = bytes.concat(
            hex"00",
            hex"5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a",
            hex"01020304",
            hex"00010203",
            hex"c0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ff"
        );
        vm.assertEq(preimage.length, 73);
        bytes32 leaf = InclusionProof.leafOf(
            0x5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a,
            0x01020304,
            0x00010203,
            0xc0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ff
        );
        vm.assertEq(leaf, sha256(preimage));
    }

    function test_fuzz_leafOf_hashesEachMember(bytes32 salt, uint32 list, uint32 index, bytes32 content) public pure {
        bytes32 leaf = InclusionProof.leafOf(salt, list, index, content);
        vm.assertEq(leaf, sha256(bytes.concat(bytes1(0), salt, bytes4(list), bytes4(index), content)));
    }

    function leadsToRoot(bytes32 root, bytes32 leaf, uint32 leafIndex, uint32 size, bytes32[] calldata path)
        external
        pure
        returns (bool)
    {
        return InclusionProof.leadsToRoot(root, leaf, leafIndex, size, path);
    }

    /* HELP */

    function _leads(bytes32 root, bytes32 leaf, uint32 index, uint32 size, bytes32[] memory path)
        private
        view
        returns (bool)
    {
        return this.leadsToRoot(root, leaf, index, size, path);
    }

    function _tree(uint256 size) private pure returns (bytes32[] memory leaves, bytes32 root) {
        leaves = new bytes32[](size);
        for (uint256 i = 0; i < size; ++i) {
            leaves[i] = _leafAt(i);
        }
        root = Trees.rootOf(leaves);
    }

    function _leafAt(uint256 index) private pure returns (bytes32) {
        return keccak256(abi.encode("leaf", index));
    }

    function _anyPath(uint256 length, bytes32 seed) private pure returns (bytes32[] memory path) {
        path = new bytes32[](length);
        for (uint256 i = 0; i < length; ++i) {
            path[i] = keccak256(abi.encode(seed, i));
        }
    }

    function _depthOf(uint256 index, uint256 size) private pure returns (uint256) {
        if (size == 1) return 0;
        uint256 left = _leftOf(size);
        return 1 + (index < left ? _depthOf(index, left) : _depthOf(index - left, size - left));
    }

    function _fromAbove(bytes32 leaf, uint256 index, uint256 size, bytes32[] memory path, uint256 levels)
        private
        pure
        returns (bytes32)
    {
        if (size == 1) return leaf;
        uint256 left = _leftOf(size);
        bytes32 sibling = path[levels - 1];
        if (index < left) {
            return sha256(bytes.concat(_fromAbove(leaf, index, left, path, levels - 1), sibling));
        }
        return sha256(bytes.concat(sibling, _fromAbove(leaf, index - left, size - left, path, levels - 1)));
    }

    /// @dev Greatest power of two below the size.
    function _leftOf(uint256 size) private pure returns (uint256 left) {
        left = 1;
        while (left * 2 < size) left *= 2;
    }

    function _without(bytes32[] memory path, uint256 at) private pure returns (bytes32[] memory shorter) {
        shorter = new bytes32[](path.length - 1);
        for (uint256 i = 0; i < shorter.length; ++i) {
            shorter[i] = path[i < at ? i : i + 1];
        }
    }

    function _with(bytes32[] memory path, uint256 at, bytes32 sibling) private pure returns (bytes32[] memory longer) {
        longer = new bytes32[](path.length + 1);
        for (uint256 i = 0; i < longer.length; ++i) {
            longer[i] = i == at ? sibling : path[i < at ? i : i - 1];
        }
    }
}
