// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {InclusionProof} from "../../src/libraries/InclusionProof.sol";
import {vm} from "../Vm.sol";

/// @title Leaves of tests/vectors/leaves.json
contract LeafVectorsTest {
    struct Leaf {
        string name;
        bytes32 salt;
        uint32 list;
        uint32 statusIndex;
        bytes32 credentialHash;
        bytes preimage;
        bytes32 leaf;
    }

    string private constant _LEAF =
        "Leaf(string name,bytes32 salt,uint32 list,uint32 statusIndex,bytes32 credentialHash,bytes preimage,bytes32 leaf)";

    function test_vectors_leaves() public view {
        string memory file = vm.readFile("../tests/vectors/leaves.json");
        Leaf[] memory leaves = abi.decode(vm.parseJsonTypeArray(file, ".valid", _LEAF), (Leaf[]));
        vm.assertTrue(leaves.length >= 6, "too few vectors");
        for (uint256 i = 0; i < leaves.length; ++i) {
            Leaf memory each = leaves[i];
            vm.assertEq(each.preimage.length, 73, each.name);
            vm.assertEq(sha256(each.preimage), each.leaf, each.name);
            bytes32 leaf = InclusionProof.leafOf(each.salt, each.list, each.statusIndex, each.credentialHash);
            vm.assertEq(leaf, each.leaf, each.name);
        }
    }
}
