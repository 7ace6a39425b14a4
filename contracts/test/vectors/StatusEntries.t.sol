// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {vm} from "../Vm.sol";
import {RegistryTest} from "../support/RegistryTest.sol";
import {Slots} from "../support/Slots.sol";

/// @title Status entries of tests/vectors/status-entries.json: the call that an entry's `id` spells out finds its bit
contract StatusEntryVectorsTest is RegistryTest {
    struct Position {
        string name;
        uint32 issuerId;
        uint32 list;
        uint256 index;
    }

    string private constant _FILE = "../tests/vectors/status-entries.json";
    string private constant _POSITION = "Position(string name,uint32 issuerId,uint32 list,uint256 index)";
    string private constant _PARAMETERS = "(uint32,uint32,uint256)";

    function test_vectors_statusPositions() public {
        Position[] memory positions =
            abi.decode(vm.parseJsonTypeArray(vm.readFile(_FILE), ".valid", _POSITION), (Position[]));
        vm.assertTrue(positions.length >= 8, "too few vectors");
        for (uint256 i = 0; i < positions.length; ++i) {
            _check(positions[i]);
        }
    }

    /// What stands in a credential is this function, by its name.
    function test_vectors_statusEntryNamesTheView() public view {
        string memory start = "ethereum:0x5fbdb2315678afecb367f032d93f642f64180aa3@31337/";
        string memory parameters = "?uint32=7&uint32=0&uint256=94567";
        string memory file = vm.readFile(_FILE);
        string memory revocation = vm.parseJsonString(file, ".valid[0].entries[0].id");
        vm.assertEq(revocation, string.concat(start, "isRevoked", parameters));
        string memory suspension = vm.parseJsonString(file, ".valid[0].entries[1].id");
        vm.assertEq(suspension, string.concat(start, "isSuspended", parameters));
    }

    function _check(Position memory each) private {
        // An issuer of this number, accredited.
        vm.store(address(registry), bytes32(Slots.issuer(each.issuerId)), bytes32(uint256(START) << 160));
        uint16 word = uint16(each.index / 256);
        vm.assertEq(_answer("isRevoked", each), false, each.name);
        _store(Slots.REVOKED, each, word, 1 << (each.index % 256));
        vm.assertEq(_answer("isRevoked", each), true, each.name);
        vm.assertEq(_answer("isSuspended", each), false, each.name);
        _store(Slots.REVOKED, each, word, ~(1 << (each.index % 256)));
        vm.assertEq(_answer("isRevoked", each), false, each.name);
        _store(Slots.SUSPENDED, each, word, 1 << (each.index % 256));
        vm.assertEq(_answer("isSuspended", each), true, each.name);
        _store(Slots.REVOKED, each, word, 0);
        _store(Slots.SUSPENDED, each, word, 0);
    }

    function _store(uint256 base, Position memory each, uint16 word, uint256 bits) private {
        vm.store(address(registry), bytes32(Slots.word(base, each.issuerId, 0, each.list, word)), bytes32(bits));
    }

    function _answer(string memory name, Position memory each) private view returns (bool) {
        bytes memory call =
            abi.encodeWithSignature(string.concat(name, _PARAMETERS), each.issuerId, each.list, each.index);
        (bool ok, bytes memory answer) = address(registry).staticcall(call);
        vm.assertTrue(ok, each.name);
        return abi.decode(answer, (bool));
    }
}
