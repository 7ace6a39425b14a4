// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {InclusionProof} from "../../src/libraries/InclusionProof.sol";
import {vm} from "../Vm.sol";
import {Trees} from "../support/Trees.sol";

/// @title Trees and inclusion proofs of tests/vectors/trees.json, good ones and others
contract TreeVectorsTest {
    struct Proof {
        uint32 leafIndex;
        bytes32[] siblings;
    }

    struct Tree {
        string name;
        uint32 size;
        bytes32 root;
        Proof[] proofs;
    }

    struct Refused {
        string name;
        bytes32 root;
        uint32 size;
        bytes32 leaf;
        uint32 leafIndex;
        bytes32[] siblings;
    }

    string private constant _TREE =
        "Tree(string name,uint32 size,bytes32 root,Proof[] proofs)Proof(uint32 leafIndex,bytes32[] siblings)";
    string private constant _REFUSED =
        "Refused(string name,bytes32 root,uint32 size,bytes32 leaf,uint32 leafIndex,bytes32[] siblings)";

    function test_vectors_trees() public view {
        Tree[] memory trees = _trees();
        for (uint256 i = 0; i < trees.length; ++i) {
            Tree memory tree = trees[i];
            vm.assertTrue(tree.proofs.length > 0, tree.name);
            for (uint256 j = 0; j < tree.proofs.length; ++j) {
                Proof memory proof = tree.proofs[j];
                bytes32 leaf = sha256(abi.encodePacked(proof.leafIndex));
                bool leads = this.leadsToRoot(tree.root, leaf, proof.leafIndex, tree.size, proof.siblings);
                vm.assertTrue(leads, tree.name);
            }
        }
    }

    /// The tests' own trees are the same.
    function test_vectors_treesOfTheTests() public view {
        Tree[] memory trees = _trees();
        for (uint256 i = 0; i < trees.length; ++i) {
            bytes32[] memory leaves = new bytes32[](trees[i].size);
            for (uint32 j = 0; j < leaves.length; ++j) {
                leaves[j] = sha256(abi.encodePacked(j));
            }
            vm.assertEq(Trees.rootOf(leaves), trees[i].root, trees[i].name);
            for (uint256 j = 0; j < trees[i].proofs.length; ++j) {
                Proof memory proof = trees[i].proofs[j];
                bytes32 path = keccak256(abi.encode(Trees.pathOf(leaves, proof.leafIndex)));
                vm.assertEq(path, keccak256(abi.encode(proof.siblings)), trees[i].name);
            }
        }
    }

    function test_vectors_treesRefused() public view {
        Refused[] memory refused = abi.decode(vm.parseJsonTypeArray(_file(), ".invalid", _REFUSED), (Refused[]));
        vm.assertTrue(refused.length >= 20, "too few vectors");
        for (uint256 i = 0; i < refused.length; ++i) {
            Refused memory each = refused[i];
            bool leads = this.leadsToRoot(each.root, each.leaf, each.leafIndex, each.size, each.siblings);
            vm.assertEq(leads, false, each.name);
        }
    }

    function leadsToRoot(bytes32 root, bytes32 leaf, uint32 leafIndex, uint32 size, bytes32[] calldata path)
        external
        pure
        returns (bool)
    {
        return InclusionProof.leadsToRoot(root, leaf, leafIndex, size, path);
    }

    function _trees() private view returns (Tree[] memory trees) {
        trees = abi.decode(vm.parseJsonTypeArray(_file(), ".valid", _TREE), (Tree[]));
        vm.assertTrue(trees.length >= 10, "too few vectors");
    }

    function _file() private view returns (string memory) {
        return vm.readFile("../tests/vectors/trees.json");
    }
}
