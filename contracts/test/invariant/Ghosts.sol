// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICredentialRegistry, SCOPE_STATUS} from "../../src/interfaces/ICredentialRegistry.sol";
import {vm} from "../Vm.sol";
import {Relay, RelayedCall} from "../support/RelayedCall.sol";
import {Slots} from "../support/Slots.sol";
import {Credential, Trees} from "../support/Trees.sol";

/// @title What the handlers know that they did: the registry's state as the rules say it must be
/// @dev Changed only by calls that the rules allow, before they are made. Nothing here asks the registry.
abstract contract Ghosts {
    uint256 public constant MAX_ISSUERS = 3;
    uint256 public constant MAX_KEYS = 20;
    // Small, so that calls meet the same roots and words again.
    uint256 public constant ROOTS = 6;
    uint32 public constant LISTS = 2;
    uint256 public constant WORDS = 4;

    /// @dev Size of every batch's tree. The last leaf's path fits this size and no other.
    uint32 public constant SIZE = 3;
    uint32 internal constant _LAST_LEAF = 2;

    uint256 private constant _FIRST_KEY_PK = 0x1000;

    uint32 public issuerCount;
    uint256 public batchCount;
    uint256 public statusCallCount;
    uint256 public batchRevocationCount;

    mapping(address account => bool) public isAccreditor;
    mapping(uint32 issuer => ICredentialRegistry.Issuer) internal _issuers;
    mapping(bytes32 didHash => uint32 issuer) public issuerOfDid;
    mapping(uint32 issuer => address controller) public offeredTo;
    mapping(uint32 issuer => uint16 epoch) public nextEpoch;
    address[] private _keyList;
    mapping(address key => uint256 index) private _indexOf;
    mapping(address key => ICredentialRegistry.Key) internal _keys;
    mapping(address key => uint256 nonce) public nonces;
    /// @dev Since when a thief has it, too; 0 if none.
    mapping(address key => uint40 at) public stolenAt;
    mapping(uint32 issuer => mapping(bytes32 root => ICredentialRegistry.Batch)) internal _batches;
    /// @dev Storage words of the registry, status bits and batches: where, and what they must be.
    uint256[] private _slots;
    mapping(uint256 slot => bool) private _isKnown;
    mapping(uint256 slot => bool) private _isRevocation;
    mapping(uint256 slot => uint256) public bits;
    /// @dev Of these bits those that a key set which nobody had stolen.
    mapping(uint256 slot => uint256) public honestBits;
    mapping(bytes32 digest => uint256) private _runs;

    bytes32[ROOTS] private _roots;

    constructor() {
        for (uint256 i = 0; i < ROOTS; ++i) {
            _roots[i] = Trees.rootOf(_leaves(i));
        }
    }

    /* VIEWS */

    function issuerOf(uint32 issuer) external view returns (ICredentialRegistry.Issuer memory) {
        return _issuers[issuer];
    }

    function keyOf(address key) external view returns (ICredentialRegistry.Key memory) {
        return _keys[key];
    }

    function rootAt(uint256 index) public view returns (bytes32) {
        return _roots[index];
    }

    /// @notice One credential of each batch, with a status index that handlers touch often.
    function credentialAt(uint256 rootIndex) public pure returns (Credential memory) {
        return Credential({
            salt: keccak256(abi.encode("salt", rootIndex)),
            list: uint32(rootIndex % LISTS),
            statusIndex: uint32(wordAt(rootIndex % WORDS)) * 256 + uint32(rootIndex % 4),
            credentialHash: keccak256(abi.encode("credential", rootIndex))
        });
    }

    function pathAt(uint256 rootIndex) external pure returns (bytes32[] memory) {
        return Trees.pathOf(_leaves(rootIndex), _LAST_LEAF);
    }

    function keyCount() public view returns (uint256) {
        return _keyList.length;
    }

    function keyAt(uint256 index) public view returns (address) {
        return _keyList[index];
    }

    function privateKeyOf(address key) external view returns (uint256) {
        return privateKeyAt(_indexOf[key]);
    }

    /// @notice A key of the scope that is not cut off, if there is one.
    function pickKey(uint256 seed, uint8 scope) external view returns (address key) {
        for (uint256 i = 0; i < _keyList.length; ++i) {
            key = _keyList[addmod(seed, i, _keyList.length)];
            if (_keys[key].scope == scope && cutOffOf(key) == 0) return key;
        }
    }

    /// @notice Every storage word of status and batches that was ever written, what it must be, and which bits of it
    /// stay set for ever.
    function words()
        external
        view
        returns (uint256[] memory slots, uint256[] memory content, uint256[] memory lasting)
    {
        slots = _slots;
        content = new uint256[](slots.length);
        lasting = new uint256[](slots.length);
        for (uint256 i = 0; i < slots.length; ++i) {
            content[i] = bits[slots[i]];
            if (_isRevocation[slots[i]]) lasting[i] = content[i];
        }
    }

    function privateKeyAt(uint256 index) public pure returns (uint256) {
        return _FIRST_KEY_PK + index;
    }

    /// @notice The four words that status calls touch: both ends of a list, and two neighbours.
    function wordAt(uint256 index) public pure returns (uint16) {
        return [uint16(0), 7, 8, 511][index];
    }

    /// @notice The earlier of a key's end and the time since which it is compromised; 0 if neither.
    function cutOffOf(address key) public view returns (uint40) {
        (uint40 end, uint40 since) = (_keys[key].validUntil, _keys[key].compromisedAt);
        if (end == 0 || since == 0) return end + since;
        return end < since ? end : since;
    }

    /* CHANGES */

    function setAccreditor(address account, bool granted) external {
        isAccreditor[account] = granted;
    }

    function addIssuer(bytes32 didHash, address controller) external {
        issuerOfDid[didHash] = ++issuerCount;
        _issuers[issuerCount].controller = controller;
        _issuers[issuerCount].accreditedAt = _now();
        _issuers[issuerCount].didHash = didHash;
        nextEpoch[issuerCount] = 1;
    }

    function setWithdrawnAt(uint32 issuer, uint40 at) external {
        _issuers[issuer].withdrawnAt = at;
    }

    function offer(uint32 issuer, address controller) external {
        offeredTo[issuer] = controller;
    }

    function setController(uint32 issuer, address controller) external {
        _issuers[issuer].controller = controller;
        offeredTo[issuer] = address(0);
    }

    function addKey(address key, ICredentialRegistry.Key calldata record) external {
        _indexOf[key] = _keyList.length;
        _keyList.push(key);
        _keys[key] = record;
    }

    function retire(address key) external {
        _keys[key].validUntil = _now() + 1;
    }

    function compromise(address key, uint40 since) external {
        ICredentialRegistry.Key storage record = _keys[key];
        record.compromisedAt = since;
        if (record.scope != SCOPE_STATUS) return;
        uint32 issuer = record.issuer;
        uint16 next = nextEpoch[issuer];
        if (record.statusEpoch == _issuers[issuer].statusEpoch) _issuers[issuer].statusEpoch = next;
        else if (record.statusEpoch != next) return;
        nextEpoch[issuer] = next + 1;
    }

    function steal(address key) external {
        stolenAt[key] = _now();
    }

    function setNonce(address key, uint256 nonce) external {
        nonces[key] = nonce;
    }

    function countRun(bytes32 digest) external {
        vm.assertEq(++_runs[digest], 1, "a relayed call runs twice");
    }

    /// @notice Does what a key's call does, direct or relayed.
    function take(RelayedCall calldata call, bool relayed) external {
        bool usesNonce = call.relay == Relay.SUSPEND || call.relay == Relay.REINSTATE;
        if (usesNonce || (relayed && call.relay != Relay.ANCHOR)) ++nonces[call.key];
        if (call.relay == Relay.ANCHOR) {
            ++batchCount;
            _setBatch(call, ICredentialRegistry.Batch(call.key, _now(), call.size, 0, 0));
        } else if (call.relay == Relay.REVOKE_BATCH) {
            ++batchRevocationCount;
            ICredentialRegistry.Batch memory batch = _batches[call.issuer][call.root];
            (batch.revokedReason, batch.revokedEpoch) = (call.reason, _keys[call.key].statusEpoch);
            _setBatch(call, batch);
        } else {
            ++statusCallCount;
            _flip(call);
        }
    }

    /* INTERNAL */

    function _slotOf(RelayedCall calldata call, uint256 i) internal view returns (uint256) {
        uint256 base = call.relay == Relay.REVOKE ? Slots.REVOKED : Slots.SUSPENDED;
        return Slots.word(base, call.issuer, _keys[call.key].statusEpoch, call.list, call.words[i]);
    }

    function _now() internal view returns (uint40) {
        return uint40(vm.getBlockTimestamp());
    }

    /* PRIVATE */

    function _flip(RelayedCall calldata call) private {
        bool isHonest = stolenAt[call.key] == 0;
        for (uint256 i = 0; i < call.words.length; ++i) {
            uint256 slot = _slotOf(call, i);
            _remember(slot, call.relay == Relay.REVOKE);
            if (call.relay == Relay.REINSTATE) {
                bits[slot] &= ~call.masks[i];
                continue;
            }
            // A bit that a thief set first can be set by nobody else, but an honest call that names it means it.
            if (isHonest) honestBits[slot] |= call.masks[i];
            bits[slot] |= call.masks[i];
        }
    }

    function _setBatch(RelayedCall calldata call, ICredentialRegistry.Batch memory batch) private {
        _batches[call.issuer][call.root] = batch;
        uint256 slot = Slots.batch(call.issuer, call.root);
        _remember(slot, false);
        bits[slot] = uint256(uint160(batch.key)) | (uint256(batch.anchoredAt) << 160) | (uint256(batch.size) << 200)
            | (uint256(batch.revokedReason) << 232) | (uint256(batch.revokedEpoch) << 240);
    }

    function _remember(uint256 slot, bool isRevocation) private {
        if (_isKnown[slot]) return;
        _isKnown[slot] = true;
        _isRevocation[slot] = isRevocation;
        _slots.push(slot);
    }

    function _leaves(uint256 rootIndex) private pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](SIZE);
        (leaves[0], leaves[1]) = (keccak256(abi.encode("first leaf", rootIndex)), keccak256("second leaf"));
        leaves[_LAST_LEAF] = Trees.leafOf(credentialAt(rootIndex));
    }
}
