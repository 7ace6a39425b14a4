// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICredentialRegistry, SCOPE_STATUS} from "../../src/interfaces/ICredentialRegistry.sol";
import {Vm, vm} from "../Vm.sol";
import {Slots} from "./Slots.sol";

/// @title An auditor: rebuilds the registry's state and heads from its events alone, and compares
contract HistoryReplay {
    struct Bits {
        uint32 issuer;
        uint16 epoch;
        uint32 list;
        uint16 word;
    }

    bytes32 private constant _ISSUER_ACCREDITED =
        keccak256("IssuerAccredited(uint32,bytes32,string,address,address,uint40,bytes32,bytes32)");
    bytes32 private constant _KEY_ADDED =
        keccak256("KeyAdded(uint32,address,uint8,uint16,uint40,address,uint40,bytes32)");
    bytes32 private constant _BATCH_ANCHORED = keccak256("BatchAnchored(uint32,bytes32,uint32,address,uint40,bytes32)");
    bytes32 private constant _REVOKED =
        keccak256("CredentialsRevoked(uint32,uint32,uint16,uint16[],uint256[],uint8,address,uint40,bytes32)");
    bytes32 private constant _SUSPENDED =
        keccak256("CredentialsSuspended(uint32,uint32,uint16,uint16[],uint256[],uint8,address,uint40,bytes32)");
    bytes32 private constant _REINSTATED =
        keccak256("CredentialsReinstated(uint32,uint32,uint16,uint16[],uint256[],uint8,address,uint40,bytes32)");

    ICredentialRegistry private immutable _registry;

    uint256 public batchCount;
    uint256 public statusCallCount;

    bytes32 private _registryHead;
    ICredentialRegistry.Issuer[] private _issuers;
    address[] private _keyList;
    mapping(address key => ICredentialRegistry.Key record) private _keys;
    mapping(uint32 issuer => bytes32[] roots) private _roots;
    mapping(uint32 issuer => mapping(bytes32 root => ICredentialRegistry.Batch record)) private _batches;
    Bits[] private _wordList;
    mapping(uint256 slot => uint256 bits) private _words;
    mapping(uint256 slot => bool known) private _known;

    constructor(ICredentialRegistry registry) {
        _registry = registry;
        _registryHead = keccak256(abi.encode("credanchor/registry-head/v1", block.chainid, address(registry)));
    }

    /// @notice Takes the next events, in order. Logs of other contracts, and OpenZeppelin's of roles, are skipped.
    function take(Vm.Log[] memory logs) external {
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter == address(_registry)) _take(logs[i]);
        }
    }

    function keyCount() external view returns (uint256) {
        return _keyList.length;
    }

    /// @notice Compares everything rebuilt with the registry's views and storage.
    function check() external view {
        vm.assertEq(_registry.registryHead(), _registryHead, "registry-wide head");
        vm.assertEq(_registry.issuerCount(), _issuers.length, "issuer count");
        for (uint32 id = 1; id <= _issuers.length; ++id) {
            bytes32 actual = keccak256(abi.encode(_registry.issuerOf(id)));
            vm.assertEq(actual, keccak256(abi.encode(_issuers[id - 1])), "issuer with head");
            vm.assertEq(_registry.issuerOfDid(_issuers[id - 1].didHash), id, "issuer of DID");
            for (uint256 i = 0; i < _roots[id].length; ++i) {
                bytes32 root = _roots[id][i];
                actual = keccak256(abi.encode(_registry.batchOf(id, root)));
                vm.assertEq(actual, keccak256(abi.encode(_batches[id][root])), "batch");
            }
        }
        for (uint256 i = 0; i < _keyList.length; ++i) {
            bytes32 actual = keccak256(abi.encode(_registry.keyOf(_keyList[i])));
            vm.assertEq(actual, keccak256(abi.encode(_keys[_keyList[i]])), "key");
        }
        for (uint256 i = 0; i < _wordList.length; ++i) {
            _checkWord(Slots.REVOKED, _wordList[i]);
            _checkWord(Slots.SUSPENDED, _wordList[i]);
        }
    }

    function _take(Vm.Log memory log) private {
        bytes32 topic = log.topics[0];
        if (topic == _ISSUER_ACCREDITED) _takeAccreditation(log);
        else if (topic == _KEY_ADDED) _takeKey(log);
        else if (topic == _BATCH_ANCHORED) _takeBatch(log);
        else if (topic == _REVOKED || topic == _SUSPENDED || topic == _REINSTATED) _takeStatus(log);
    }

    function _takeAccreditation(Vm.Log memory log) private {
        (string memory did, address controller, address actor, uint40 at, bytes32 head, bytes32 registryHead) =
            abi.decode(log.data, (string, address, address, uint40, bytes32, bytes32));
        uint32 id = uint32(uint256(log.topics[1]));
        vm.assertEq(id, _issuers.length + 1, "issuers are numbered in order");
        vm.assertEq(log.topics[2], keccak256(bytes(did)), "DID hash");
        bytes32 eventHash = keccak256(abi.encode(_ISSUER_ACCREDITED, id, log.topics[2], did, controller, actor, at));
        bytes32 first = keccak256(abi.encode("credanchor/head/v1", block.chainid, address(_registry), id));
        vm.assertEq(head, keccak256(abi.encode(first, eventHash)), "first head");
        _registryHead = keccak256(abi.encode(_registryHead, eventHash));
        vm.assertEq(registryHead, _registryHead, "logged registry-wide head");
        _issuers.push(
            ICredentialRegistry.Issuer({
                controller: controller,
                accreditedAt: at,
                withdrawnAt: 0,
                statusEpoch: 0,
                didHash: log.topics[2],
                head: head
            })
        );
    }

    function _takeKey(Vm.Log memory log) private {
        (uint8 scope, uint16 epoch, uint40 validFrom, address actor, uint40 at, bytes32 head) =
            abi.decode(log.data, (uint8, uint16, uint40, address, uint40, bytes32));
        uint32 id = uint32(uint256(log.topics[1]));
        address key = address(uint160(uint256(log.topics[2])));
        _extend(id, keccak256(abi.encode(_KEY_ADDED, id, key, scope, epoch, validFrom, actor, at)), head);
        vm.assertEq(_keys[key].issuer, 0, "key bound twice");
        _keyList.push(key);
        _keys[key] = ICredentialRegistry.Key({
            issuer: id, validFrom: validFrom, validUntil: 0, compromisedAt: 0, scope: scope, statusEpoch: epoch
        });
    }

    function _takeBatch(Vm.Log memory log) private {
        (uint32 size, address actor, uint40 at, bytes32 head) = abi.decode(log.data, (uint32, address, uint40, bytes32));
        uint32 id = uint32(uint256(log.topics[1]));
        bytes32 root = log.topics[2];
        _extend(id, keccak256(abi.encode(_BATCH_ANCHORED, id, root, size, actor, at)), head);
        vm.assertEq(_batches[id][root].anchoredAt, 0, "root anchored twice");
        ++batchCount;
        _roots[id].push(root);
        _batches[id][root] =
            ICredentialRegistry.Batch({key: actor, anchoredAt: at, size: size, revokedReason: 0, revokedEpoch: 0});
    }

    function _takeStatus(Vm.Log memory log) private {
        (
            uint16 epoch,
            uint16[] memory words,
            uint256[] memory masks,
            uint8 reason,
            address actor,
            uint40 at,
            bytes32 head
        ) = abi.decode(log.data, (uint16, uint16[], uint256[], uint8, address, uint40, bytes32));
        uint32 id = uint32(uint256(log.topics[1]));
        uint32 list = uint32(uint256(log.topics[2]));
        _extend(id, keccak256(abi.encode(log.topics[0], id, list, epoch, words, masks, reason, actor, at)), head);
        ++statusCallCount;
        vm.assertEq(_keys[actor].issuer, id, "bits moved by a key of another issuer");
        vm.assertEq(_keys[actor].scope, SCOPE_STATUS, "bits moved by a key of the other scope");
        for (uint256 i = 0; i < words.length; ++i) {
            _flip(log.topics[0], Bits(id, epoch, list, words[i]), masks[i]);
        }
    }

    function _flip(bytes32 topic, Bits memory at, uint256 mask) private {
        uint256 slot = _slot(topic == _REVOKED ? Slots.REVOKED : Slots.SUSPENDED, at);
        vm.assertTrue(mask != 0, "an event names a word that did not change");
        vm.assertEq(_words[slot] & mask, topic == _REINSTATED ? mask : 0, "masks are not the bits that changed");
        _words[slot] ^= mask;
        if (!_known[slot]) {
            _known[slot] = true;
            _wordList.push(at);
        }
    }

    function _extend(uint32 id, bytes32 eventHash, bytes32 logged) private {
        bytes32 head = keccak256(abi.encode(_issuers[id - 1].head, eventHash));
        vm.assertEq(logged, head, "logged head");
        _issuers[id - 1].head = head;
    }

    function _checkWord(uint256 base, Bits memory at) private view {
        uint256 slot = _slot(base, at);
        vm.assertEq(Slots.read(address(_registry), slot), _words[slot], "status bits");
    }

    function _slot(uint256 base, Bits memory at) private pure returns (uint256) {
        return Slots.word(base, at.issuer, at.epoch, at.list, at.word);
    }
}
