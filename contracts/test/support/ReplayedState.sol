// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";

import {ICredentialRegistry} from "../../src/interfaces/ICredentialRegistry.sol";
import {vm} from "../Vm.sol";
import {Slots} from "./Slots.sol";

/// @title What an auditor knows of a registry, and how it compares with the registry's views and storage
/// @dev `HistoryReplay` fills it from events. Nothing here asks the registry, except to compare.
abstract contract ReplayedState {
    /* TYPES */

    struct Member {
        bytes32 role;
        address account;
    }

    struct Bits {
        uint32 issuer;
        uint16 epoch;
        uint32 list;
        uint16 word;
    }

    /// @dev Direct and relayed revocations log the same, but only the relayed ones use a nonce: so it is in a range.
    struct NonceRange {
        uint256 lowest;
        uint256 highest;
    }

    /* STORAGE */

    ICredentialRegistry internal immutable _registry;
    uint256 internal immutable _chainId;

    uint256 public eventCount;
    uint256 public batchCount;
    uint256 public statusCallCount;
    uint256 public batchRevocationCount;

    bytes32 internal _registryHead;
    Member[] private _memberList;
    mapping(bytes32 role => mapping(address account => bool)) internal _isMember;
    mapping(bytes32 role => mapping(address account => bool)) private _wasMember;

    ICredentialRegistry.Issuer[] internal _issuers;
    mapping(bytes32 didHash => uint32 issuer) internal _issuerOfDid;
    mapping(uint32 issuer => address controller) internal _offeredTo;
    mapping(uint32 issuer => uint16 epoch) internal _nextEpoch;

    address[] internal _keyList;
    mapping(address key => ICredentialRegistry.Key record) internal _keys;
    mapping(address key => NonceRange) internal _nonces;

    mapping(uint32 issuer => bytes32[] roots) private _roots;
    mapping(uint32 issuer => mapping(bytes32 root => ICredentialRegistry.Batch record)) internal _batches;

    Bits[] private _wordList;
    mapping(uint256 slot => uint256 bits) internal _words;
    mapping(uint256 slot => bool known) private _known;

    constructor(ICredentialRegistry registry) {
        _registry = registry;
        _chainId = block.chainid;
        _registryHead = keccak256(abi.encode("credanchor/registry-head/v1", block.chainid, address(registry)));
    }

    /* EXTERNAL */

    function keyCount() external view returns (uint256) {
        return _keyList.length;
    }

    /// @notice Compares everything rebuilt with the registry's views and storage.
    function check() public view virtual {
        _same(_registry.registryHead(), _registryHead, "registry-wide head");
        _same(_read(Slots.REGISTRY_HEAD), uint256(_registryHead), "stored registry-wide head");
        _same(_registry.issuerCount(), _issuers.length, "issuer count");
        for (uint32 id = 1; id <= _issuers.length; ++id) {
            _checkIssuer(id);
            for (uint256 i = 0; i < _roots[id].length; ++i) {
                _checkBatch(id, _roots[id][i]);
            }
        }
        for (uint256 i = 0; i < _memberList.length; ++i) {
            Member memory member = _memberList[i];
            bool actual = IAccessControl(address(_registry)).hasRole(member.role, member.account);
            _require(actual == _isMember[member.role][member.account], "role");
        }
        for (uint256 i = 0; i < _keyList.length; ++i) {
            _checkKey(_keyList[i]);
        }
        for (uint256 i = 0; i < _wordList.length; ++i) {
            _checkWord(_wordList[i]);
        }
    }

    /* INTERNAL */

    function _setMember(bytes32 role, address account, bool granted) internal {
        _isMember[role][account] = granted;
        if (_wasMember[role][account]) return;
        _wasMember[role][account] = true;
        _memberList.push(Member(role, account));
    }

    function _setBatch(uint32 id, bytes32 root, ICredentialRegistry.Batch memory record) internal {
        if (_batches[id][root].anchoredAt == 0) _roots[id].push(root);
        _batches[id][root] = record;
    }

    function _flipWord(uint256 base, Bits memory at, uint256 mask) internal {
        uint256 slot = _slot(base, at);
        _words[slot] ^= mask;
        uint256 place = _slot(0, at);
        if (_known[place]) return;
        _known[place] = true;
        _wordList.push(at);
    }

    function _slot(uint256 base, Bits memory at) internal pure returns (uint256) {
        return Slots.word(base, at.issuer, at.epoch, at.list, at.word);
    }

    // Each in one place: a hundred copies of a cheatcode's call make the contract larger than a chain takes, which the
    // compiler warns of.

    function _require(bool condition, string memory error) internal pure {
        vm.assertTrue(condition, error);
    }

    function _refuse(bool condition, string memory error) internal pure {
        vm.assertTrue(!condition, error);
    }

    function _same(uint256 left, uint256 right, string memory error) internal pure {
        vm.assertEq(left, right, error);
    }

    function _same(bytes32 left, bytes32 right, string memory error) internal pure {
        vm.assertEq(left, right, error);
    }

    function _same(address left, address right, string memory error) internal pure {
        vm.assertEq(left, right, error);
    }

    function _ordered(uint256 low, uint256 high, string memory error) internal pure {
        vm.assertLe(low, high, error);
    }

    /* COMPARISON */

    function _checkIssuer(uint32 id) private view {
        ICredentialRegistry.Issuer memory record = _issuers[id - 1];
        bytes32 actual = keccak256(abi.encode(_registry.issuerOf(id)));
        _same(actual, keccak256(abi.encode(record)), "issuer with head");
        _same(_registry.issuerOfDid(record.didHash), id, "issuer of DID");
        _same(_registry.pendingControllerOf(id), _offeredTo[id], "controller offered");
        _same(_registry.nextStatusEpochOf(id), _nextEpoch[id], "next status epoch");
        uint256 slot = Slots.issuer(id);
        uint256 word = uint256(uint160(record.controller)) | (uint256(record.accreditedAt) << 160)
            | (uint256(record.withdrawnAt) << 200) | (uint256(record.statusEpoch) << 240);
        _same(_read(slot), word, "stored issuer");
        _same(_read(slot + 1), uint256(record.didHash), "stored DID hash");
        _same(_read(slot + 2), uint256(record.head), "stored head");
    }

    function _checkKey(address key) private view {
        ICredentialRegistry.Key memory record = _keys[key];
        _same(keccak256(abi.encode(_registry.keyOf(key))), keccak256(abi.encode(record)), "key");
        uint256 word = uint256(record.issuer) | (uint256(record.validFrom) << 32) | (uint256(record.validUntil) << 72)
            | (uint256(record.compromisedAt) << 112) | (uint256(record.scope) << 152)
            | (uint256(record.statusEpoch) << 160);
        _same(_read(Slots.key(key)), word, "stored key");
        uint256 nonce = _registry.nonceOf(key);
        _ordered(_nonces[key].lowest, nonce, "nonce lower than the calls that used one");
        _ordered(nonce, _nonces[key].highest, "nonce higher than the calls that may have used one");
    }

    function _checkBatch(uint32 id, bytes32 root) private view {
        ICredentialRegistry.Batch memory record = _batches[id][root];
        _same(keccak256(abi.encode(_registry.batchOf(id, root))), keccak256(abi.encode(record)), "batch");
        uint256 word = uint256(uint160(record.key)) | (uint256(record.anchoredAt) << 160)
            | (uint256(record.size) << 200) | (uint256(record.revokedReason) << 232)
            | (uint256(record.revokedEpoch) << 240);
        _same(_read(Slots.batch(id, root)), word, "stored batch");
    }

    function _checkWord(Bits memory at) private view {
        uint256 revoked = _words[_slot(Slots.REVOKED, at)];
        uint256 suspended = _words[_slot(Slots.SUSPENDED, at)];
        _same(_read(_slot(Slots.REVOKED, at)), revoked, "stored revocations");
        _same(_read(_slot(Slots.SUSPENDED, at)), suspended, "stored suspensions");
        if (at.epoch != _issuers[at.issuer - 1].statusEpoch) return;
        // One entry of each word: that the views read these words is tested on their own.
        uint256 bit = uint256(keccak256(abi.encode(revoked, suspended))) % 256;
        (bool isRevoked, bool isSuspended) = _registry.statusOf(at.issuer, at.list, uint256(at.word) * 256 + bit);
        _require(isRevoked == ((revoked >> bit) & 1 == 1), "revoked");
        _require(isSuspended == ((suspended >> bit) & 1 == 1), "suspended");
    }

    function _read(uint256 slot) private view returns (uint256) {
        return Slots.read(address(_registry), slot);
    }
}
