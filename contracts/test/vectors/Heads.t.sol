// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IRegistryEvents} from "../../src/interfaces/IRegistryEvents.sol";
import {vm} from "../Vm.sol";

/// @title Events and heads of tests/vectors/heads.json: a history in which every event occurs, event by event
contract HeadVectorsTest {
    struct Event {
        string name;
        string signature;
        bytes32 topic0;
        bytes encoded;
        bytes32 eventHash;
    }

    string private constant _EVENT =
        "Event(string name,string signature,bytes32 topic0,bytes encoded,bytes32 eventHash)";

    uint256 private constant _CHAIN = 31_337;
    address private constant _REGISTRY = 0x5FbDB2315678afecb367f032d93F642f64180aa3;

    mapping(uint32 issuer => bytes32) private _heads;
    mapping(bytes32 topic0 => uint256 count) private _seen;

    function test_vectors_eventHashes() public {
        Event[] memory events = _events();
        for (uint256 i = 0; i < events.length; ++i) {
            Event memory each = events[i];
            vm.assertEq(keccak256(bytes(each.signature)), each.topic0, each.name);
            vm.assertEq(bytes32(each.encoded), each.topic0, each.name);
            vm.assertEq(keccak256(each.encoded), each.eventHash, each.name);
            ++_seen[each.topic0];
        }
        bytes32[15] memory topics = _topics();
        uint256 known = 0;
        for (uint256 i = 0; i < topics.length; ++i) {
            vm.assertTrue(_seen[topics[i]] > 0, "an event of the contract does not occur");
            known += _seen[topics[i]];
        }
        vm.assertEq(known, events.length);
    }

    function test_vectors_heads() public {
        Event[] memory events = _events();
        bytes32 registryHead = keccak256(abi.encode("credanchor/registry-head/v1", _CHAIN, _REGISTRY));
        for (uint256 i = 0; i < events.length; ++i) {
            Event memory each = events[i];
            if (each.topic0 != IRegistryEvents.RoleChanged.selector) {
                // The first parameter of all others.
                uint32 issuer = uint32(_wordAt(each.encoded, 1));
                bytes32 head = _heads[issuer];
                if (head == 0) head = keccak256(abi.encode("credanchor/head/v1", _CHAIN, _REGISTRY, issuer));
                vm.assertEq(this.member(i, "headBefore"), head, each.name);
                _heads[issuer] = keccak256(abi.encode(head, each.eventHash));
                vm.assertEq(this.member(i, "headAfter"), _heads[issuer], each.name);
            }
            if (!_concernsRegistry(each.topic0)) continue;
            vm.assertEq(this.member(i, "registryHeadBefore"), registryHead, each.name);
            registryHead = keccak256(abi.encode(registryHead, each.eventHash));
            vm.assertEq(this.member(i, "registryHeadAfter"), registryHead, each.name);
        }
    }

    /// @dev A call of its own for each, so that the file's copies in memory are given up.
    function member(uint256 index, string calldata name) external view returns (bytes32) {
        return vm.parseJsonBytes32(_file(), string.concat(".events[", vm.toString(index), "].", name));
    }

    function _events() private view returns (Event[] memory events) {
        events = abi.decode(vm.parseJsonTypeArray(_file(), ".events", _EVENT), (Event[]));
        vm.assertTrue(events.length >= 15, "too few vectors");
    }

    function _concernsRegistry(bytes32 topic0) private pure returns (bool) {
        return topic0 == IRegistryEvents.RoleChanged.selector || topic0 == IRegistryEvents.IssuerAccredited.selector
            || topic0 == IRegistryEvents.AccreditationWithdrawn.selector;
    }

    function _wordAt(bytes memory data, uint256 index) private pure returns (uint256 word) {
        for (uint256 i = 0; i < 32; ++i) {
            word = (word << 8) | uint8(data[32 * index + i]);
        }
    }

    /// @dev Of every event that extends a head, in the interface.
    function _topics() private pure returns (bytes32[15] memory) {
        return [
            IRegistryEvents.RoleChanged.selector,
            IRegistryEvents.IssuerAccredited.selector,
            IRegistryEvents.AccreditationWithdrawn.selector,
            IRegistryEvents.ControllerTransferStarted.selector,
            IRegistryEvents.ControllerTransferred.selector,
            IRegistryEvents.KeyAdded.selector,
            IRegistryEvents.KeyRetired.selector,
            IRegistryEvents.KeyCompromised.selector,
            IRegistryEvents.StatusEpochChanged.selector,
            IRegistryEvents.NoncesCancelled.selector,
            IRegistryEvents.BatchAnchored.selector,
            IRegistryEvents.BatchRevoked.selector,
            IRegistryEvents.CredentialsRevoked.selector,
            IRegistryEvents.CredentialsSuspended.selector,
            IRegistryEvents.CredentialsReinstated.selector
        ];
    }

    function _file() private view returns (string memory) {
        return vm.readFile("../tests/vectors/heads.json");
    }
}
