// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {
    ICredentialRegistry,
    MAX_CANCELLED_NONCES,
    SCOPE_ANCHOR,
    SCOPE_STATUS
} from "../../src/interfaces/ICredentialRegistry.sol";
import {Vm} from "../Vm.sol";
import {ReplayedRights} from "./ReplayedRights.sol";
import {ReplayedState} from "./ReplayedState.sol";
import {Slots} from "./Slots.sol";

/// @title An auditor: rebuilds the registry's state and heads from its events alone
/// @notice Of each event it also checks that its actor had the right to it then, by what the events before it say. Any
/// event that it does not know is an error, so that none can be added without being replayed.
contract HistoryReplay is ReplayedRights {
    /* TYPES */

    /// @dev What a compromise of a STATUS key must be followed by.
    struct DueEpochs {
        bool due;
        uint16 epoch;
        uint16 next;
        address actor;
        uint40 at;
    }

    /* CONSTANTS */

    bytes32 private constant _ROLE_CHANGED = keccak256("RoleChanged(bytes32,address,bool,address,uint40,bytes32)");
    bytes32 private constant _ISSUER_ACCREDITED =
        keccak256("IssuerAccredited(uint32,bytes32,string,address,address,uint40,bytes32,bytes32)");
    bytes32 private constant _WITHDRAWN =
        keccak256("AccreditationWithdrawn(uint32,uint40,uint8,address,uint40,bytes32,bytes32)");
    bytes32 private constant _CONTROLLER_OFFERED =
        keccak256("ControllerTransferStarted(uint32,address,address,uint40,bytes32)");
    bytes32 private constant _CONTROLLER_CHANGED =
        keccak256("ControllerTransferred(uint32,address,address,uint40,bytes32)");
    bytes32 private constant _KEY_ADDED =
        keccak256("KeyAdded(uint32,address,uint8,uint16,uint40,address,uint40,bytes32)");
    bytes32 private constant _KEY_RETIRED = keccak256("KeyRetired(uint32,address,uint40,address,uint40,bytes32)");
    bytes32 private constant _KEY_COMPROMISED =
        keccak256("KeyCompromised(uint32,address,uint40,address,uint40,bytes32)");
    bytes32 private constant _EPOCH_CHANGED =
        keccak256("StatusEpochChanged(uint32,uint16,uint16,address,uint40,bytes32)");
    bytes32 private constant _NONCES_CANCELLED =
        keccak256("NoncesCancelled(uint32,address,uint256,address,uint40,bytes32)");
    bytes32 private constant _BATCH_ANCHORED = keccak256("BatchAnchored(uint32,bytes32,uint32,address,uint40,bytes32)");
    bytes32 private constant _BATCH_REVOKED =
        keccak256("BatchRevoked(uint32,bytes32,uint16,uint8,address,uint40,bytes32)");
    bytes32 private constant _REVOKED =
        keccak256("CredentialsRevoked(uint32,uint32,uint16,uint16[],uint256[],uint8,address,uint40,bytes32)");
    bytes32 private constant _SUSPENDED =
        keccak256("CredentialsSuspended(uint32,uint32,uint16,uint16[],uint256[],uint8,address,uint40,bytes32)");
    bytes32 private constant _REINSTATED =
        keccak256("CredentialsReinstated(uint32,uint32,uint16,uint16[],uint256[],uint8,address,uint40,bytes32)");

    // OpenZeppelin's. Those of the admin's hand-over and delay say nothing of who has a role now.
    bytes32 private constant _ROLE_GRANTED = keccak256("RoleGranted(bytes32,address,address)");
    bytes32 private constant _ROLE_REVOKED = keccak256("RoleRevoked(bytes32,address,address)");
    bytes32 private constant _ADMIN_OFFERED = keccak256("DefaultAdminTransferScheduled(address,uint48)");
    bytes32 private constant _ADMIN_OFFER_ENDED = keccak256("DefaultAdminTransferCanceled()");
    bytes32 private constant _DELAY_CHANGED = keccak256("DefaultAdminDelayChangeScheduled(uint48,uint48)");
    bytes32 private constant _DELAY_CHANGE_ENDED = keccak256("DefaultAdminDelayChangeCanceled()");

    /* STORAGE */

    uint40 private _lastAt;
    bytes32 private _openRoleEvent;
    mapping(uint32 issuer => DueEpochs) private _dueEpochs;

    constructor(ICredentialRegistry registry) ReplayedState(registry) {}

    /* EXTERNAL */

    /// @notice Takes the next events, in order, from the deployment's first on. Logs of other contracts are skipped.
    function take(Vm.Log[] memory logs) external {
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter == address(_registry)) _take(logs[i]);
        }
    }

    /// @inheritdoc ReplayedState
    function check() public view override {
        _same(_openRoleEvent, 0, "OpenZeppelin's role event without ours");
        _same(_adminTaker, address(0), "the admin role was taken from one and given to nobody");
        for (uint32 id = 1; id <= _issuers.length; ++id) {
            _refuse(_dueEpochs[id].due, "a compromised STATUS key, and no other status epoch");
        }
        super.check();
    }

    /* EVENTS */

    function _take(Vm.Log memory log) private {
        ++eventCount;
        bytes32 topic = log.topics[0];
        if (topic == _ROLE_CHANGED) _takeRole(log);
        else if (topic == _ISSUER_ACCREDITED) _takeAccreditation(log);
        else if (topic == _WITHDRAWN) _takeWithdrawal(log);
        else if (topic == _CONTROLLER_OFFERED) _takeOffer(log);
        else if (topic == _CONTROLLER_CHANGED) _takeController(log);
        else if (topic == _KEY_ADDED) _takeKey(log);
        else if (topic == _KEY_RETIRED) _takeRetirement(log);
        else if (topic == _KEY_COMPROMISED) _takeCompromise(log);
        else if (topic == _EPOCH_CHANGED) _takeEpochs(log);
        else if (topic == _NONCES_CANCELLED) _takeNonces(log);
        else if (topic == _BATCH_ANCHORED) _takeBatch(log);
        else if (topic == _BATCH_REVOKED) _takeBatchRevocation(log);
        else if (topic == _REVOKED || topic == _SUSPENDED || topic == _REINSTATED) _takeStatus(log);
        else _takeOfOpenZeppelin(log);
    }

    function _takeOfOpenZeppelin(Vm.Log memory log) private {
        bytes32 topic = log.topics[0];
        if (topic == _ROLE_GRANTED || topic == _ROLE_REVOKED) {
            _same(_openRoleEvent, 0, "OpenZeppelin's role event without ours");
            _openRoleEvent = keccak256(abi.encode(log.topics));
        } else if (topic == _ADMIN_OFFERED) {
            (_adminIsOffered, _adminOfferedTo) = (true, _addressOf(log.topics[1]));
        } else if (topic == _ADMIN_OFFER_ENDED) {
            _adminIsOffered = false;
        } else {
            bool known = topic == _DELAY_CHANGED || topic == _DELAY_CHANGE_ENDED;
            _require(known, "an event that the replay does not know");
        }
    }

    function _takeRole(Vm.Log memory log) private {
        (bool granted, address actor, uint40 at, bytes32 registryHead) =
            abi.decode(log.data, (bool, address, uint40, bytes32));
        bytes32 role = log.topics[1];
        address account = _addressOf(log.topics[2]);
        _extendRegistry(_staticHash(log, 1), registryHead, at);
        bytes32[] memory twin = new bytes32[](4);
        (twin[0], twin[1], twin[2]) = (granted ? _ROLE_GRANTED : _ROLE_REVOKED, role, log.topics[2]);
        twin[3] = bytes32(uint256(uint160(actor)));
        _same(_openRoleEvent, keccak256(abi.encode(twin)), "not what OpenZeppelin's event says");
        _openRoleEvent = 0;
        _require(_isMember[role][account] != granted, "a role event without a change");
        _requireRoleRight(role, account, granted, actor);
        _setMember(role, account, granted);
    }

    function _takeAccreditation(Vm.Log memory log) private {
        (string memory did, address controller, address actor, uint40 at, bytes32 head, bytes32 registryHead) =
            abi.decode(log.data, (string, address, address, uint40, bytes32, bytes32));
        uint32 id = uint32(uint256(log.topics[1]));
        bytes32 didHash = log.topics[2];
        _same(id, _issuers.length + 1, "issuers are numbered in order");
        _same(didHash, keccak256(bytes(did)), "DID hash");
        _same(_issuerOfDid[didHash], 0, "one DID, two issuers");
        _requireAccreditor(actor);
        _require(controller != address(0), "an issuer without controller");
        bytes32 eventHash = keccak256(abi.encode(_ISSUER_ACCREDITED, id, didHash, did, controller, actor, at));
        _extendRegistry(eventHash, registryHead, at);
        _issuers.push(
            ICredentialRegistry.Issuer({
                controller: controller,
                accreditedAt: at,
                withdrawnAt: 0,
                statusEpoch: 0,
                didHash: didHash,
                head: keccak256(abi.encode("credanchor/head/v1", _chainId, address(_registry), id))
            })
        );
        _issuerOfDid[didHash] = id;
        _nextEpoch[id] = 1;
        _extend(id, eventHash, head, at);
    }

    function _takeWithdrawal(Vm.Log memory log) private {
        (uint40 withdrawnAt, uint8 reason, address actor, uint40 at, bytes32 head, bytes32 registryHead) =
            abi.decode(log.data, (uint40, uint8, address, uint40, bytes32, bytes32));
        uint32 id = _knownIssuer(log);
        _extend(id, _staticHash(log, 2), head, at);
        _extendRegistry(_staticHash(log, 2), registryHead, at);
        _requireAccreditor(actor);
        _require(withdrawnAt > at, "withdrawn in the past");
        uint40 current = _issuers[id - 1].withdrawnAt;
        _require(current == 0 || (at < current && withdrawnAt < current), "withdrawal not moved earlier");
        _requireReason(reason);
        _issuers[id - 1].withdrawnAt = withdrawnAt;
    }

    function _takeOffer(Vm.Log memory log) private {
        (address actor, uint40 at, bytes32 head) = abi.decode(log.data, (address, uint40, bytes32));
        uint32 id = _knownIssuer(log);
        address controller = _addressOf(log.topics[2]);
        _extend(id, _staticHash(log, 1), head, at);
        _requireController(id, actor);
        _require(controller != actor && controller != _offeredTo[id], "an offer that changes nothing");
        _offeredTo[id] = controller;
    }

    function _takeController(Vm.Log memory log) private {
        (address actor, uint40 at, bytes32 head) = abi.decode(log.data, (address, uint40, bytes32));
        uint32 id = _knownIssuer(log);
        address controller = _addressOf(log.topics[2]);
        _extend(id, _staticHash(log, 1), head, at);
        _require(controller != address(0) && controller == _offeredTo[id], "control taken without an offer");
        _require(actor == controller, "control accepted for somebody else");
        _issuers[id - 1].controller = controller;
        _offeredTo[id] = address(0);
    }

    function _takeKey(Vm.Log memory log) private {
        (uint8 scope, uint16 epoch, uint40 validFrom, address actor, uint40 at, bytes32 head) =
            abi.decode(log.data, (uint8, uint16, uint40, address, uint40, bytes32));
        uint32 id = _knownIssuer(log);
        address key = _addressOf(log.topics[2]);
        _extend(id, _staticHash(log, 1), head, at);
        _requireController(id, actor);
        _same(_keys[key].issuer, 0, "key bound twice");
        _ordered(at, validFrom, "key valid from a time in the past");
        if (scope == SCOPE_ANCHOR) {
            _requireAccredited(id, at);
            _same(epoch, 0, "an ANCHOR key with a status epoch");
        } else {
            _same(scope, SCOPE_STATUS, "scope");
            _requireOpenEpoch(id, epoch);
        }
        _keyList.push(key);
        _keys[key] = ICredentialRegistry.Key({
            issuer: id, validFrom: validFrom, validUntil: 0, compromisedAt: 0, scope: scope, statusEpoch: epoch
        });
    }

    function _takeRetirement(Vm.Log memory log) private {
        (uint40 validUntil, address actor, uint40 at, bytes32 head) =
            abi.decode(log.data, (uint40, address, uint40, bytes32));
        uint32 id = _knownIssuer(log);
        address key = _knownKey(log, id);
        _extend(id, _staticHash(log, 1), head, at);
        _requireController(id, actor);
        _same(_cutOffOf(key), 0, "a key retired that has an end");
        _same(validUntil, uint256(at) + 1, "a key retired from another second than the next");
        _keys[key].validUntil = validUntil;
    }

    function _takeCompromise(Vm.Log memory log) private {
        (uint40 since, address actor, uint40 at, bytes32 head) =
            abi.decode(log.data, (uint40, address, uint40, bytes32));
        uint32 id = _knownIssuer(log);
        address key = _knownKey(log, id);
        _extend(id, _staticHash(log, 1), head, at);
        _requireController(id, actor);
        _ordered(since, at, "compromised since a time to come");
        _ordered(_keys[key].validFrom, since, "compromised before it was valid");
        _require(_cutOffOf(key) == 0 || since < _cutOffOf(key), "cut-off not moved earlier");
        _keys[key].compromisedAt = since;
        if (_keys[key].scope != SCOPE_STATUS) return;
        (uint16 epoch, uint16 current, uint16 next) =
            (_keys[key].statusEpoch, _issuers[id - 1].statusEpoch, _nextEpoch[id]);
        if (epoch != current && epoch != next) return;
        _dueEpochs[id] =
            DueEpochs({due: true, epoch: epoch == current ? next : current, next: next + 1, actor: actor, at: at});
    }

    function _takeEpochs(Vm.Log memory log) private {
        (uint16 epoch, uint16 next, address actor, uint40 at, bytes32 head) =
            abi.decode(log.data, (uint16, uint16, address, uint40, bytes32));
        uint32 id = _knownIssuer(log);
        bytes32 due = keccak256(abi.encode(_dueEpochs[id]));
        _same(keccak256(abi.encode(DueEpochs(true, epoch, next, actor, at))), due, "not the epochs that are due");
        delete _dueEpochs[id];
        _extend(id, _staticHash(log, 1), head, at);
        _issuers[id - 1].statusEpoch = epoch;
        _nextEpoch[id] = next;
    }

    function _takeNonces(Vm.Log memory log) private {
        (uint256 nonce, address actor, uint40 at, bytes32 head) =
            abi.decode(log.data, (uint256, address, uint40, bytes32));
        uint32 id = _knownIssuer(log);
        address key = _knownKey(log, id);
        _extend(id, _staticHash(log, 1), head, at);
        if (actor != key) _requireController(id, actor);
        _require(nonce > _nonces[key].lowest, "nonces cancelled that were used");
        _ordered(nonce, _nonces[key].highest + MAX_CANCELLED_NONCES, "too many nonces cancelled");
        _nonces[key] = NonceRange(nonce, nonce);
    }

    function _takeBatch(Vm.Log memory log) private {
        (uint32 size, address actor, uint40 at, bytes32 head) = abi.decode(log.data, (uint32, address, uint40, bytes32));
        uint32 id = _knownIssuer(log);
        bytes32 root = log.topics[2];
        _extend(id, _staticHash(log, 1), head, at);
        _requireActing(actor, id, SCOPE_ANCHOR, at);
        _requireAccredited(id, at);
        _require(root != 0, "a zero root");
        ICredentialRegistry.Batch memory earlier = _batches[id][root];
        if (earlier.anchoredAt != 0) {
            uint40 cutOff = _cutOffOf(earlier.key);
            _require(cutOff != 0 && cutOff <= earlier.anchoredAt, "anchored again, though not void");
            _refuse(_isRevokedIn(earlier, _issuers[id - 1].statusEpoch), "anchored again, though revoked");
        }
        ++batchCount;
        _setBatch(id, root, ICredentialRegistry.Batch(actor, at, size, 0, 0));
    }

    function _takeBatchRevocation(Vm.Log memory log) private {
        (uint16 epoch, uint8 reason, address actor, uint40 at, bytes32 head) =
            abi.decode(log.data, (uint16, uint8, address, uint40, bytes32));
        uint32 id = _knownIssuer(log);
        bytes32 root = log.topics[2];
        _extend(id, _staticHash(log, 1), head, at);
        _requireStatusRight(actor, id, epoch, reason, at);
        ICredentialRegistry.Batch memory batch = _batches[id][root];
        _require(batch.anchoredAt != 0, "revoked a batch that nobody anchored");
        _refuse(_isRevokedIn(batch, epoch), "revoked a batch that was revoked");
        (batch.revokedReason, batch.revokedEpoch) = (reason, epoch);
        ++batchRevocationCount;
        ++_nonces[actor].highest;
        _setBatch(id, root, batch);
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
        uint32 id = _knownIssuer(log);
        uint32 list = uint32(uint256(log.topics[2]));
        bytes32 eventHash = keccak256(abi.encode(log.topics[0], id, list, epoch, words, masks, reason, actor, at));
        _extend(id, eventHash, head, at);
        _requireStatusRight(actor, id, epoch, reason, at);
        ++statusCallCount;
        ++_nonces[actor].highest;
        if (log.topics[0] != _REVOKED) ++_nonces[actor].lowest;
        _require(words.length > 0 && words.length == masks.length, "words and masks");
        for (uint256 i = 0; i < words.length; ++i) {
            _require(words[i] < 512 && (i == 0 || words[i - 1] < words[i]), "words not increasing, or too high");
            _flip(log.topics[0], Bits(id, epoch, list, words[i]), masks[i]);
        }
    }

    function _flip(bytes32 topic, Bits memory at, uint256 mask) private {
        uint256 base = topic == _REVOKED ? Slots.REVOKED : Slots.SUSPENDED;
        _require(mask != 0, "an event names a word that did not change");
        uint256 before = _words[_slot(base, at)] & mask;
        _same(before, topic == _REINSTATED ? mask : 0, "masks are not the bits that changed");
        _flipWord(base, at, mask);
    }

    /* PRIVATE */

    /// @dev Hash of an event whose parameters are all of one word: what is hashed is what is logged, but for the trailing
    /// heads.
    function _staticHash(Vm.Log memory log, uint256 heads) private pure returns (bytes32) {
        bytes memory parameters = new bytes(log.data.length - 32 * heads);
        for (uint256 i = 0; i < parameters.length; ++i) {
            parameters[i] = log.data[i];
        }
        return keccak256(bytes.concat(abi.encodePacked(log.topics), parameters));
    }

    function _extend(uint32 id, bytes32 eventHash, bytes32 logged, uint40 at) private {
        _refuse(_dueEpochs[id].due, "a compromised STATUS key, and no other status epoch");
        bytes32 head = keccak256(abi.encode(_issuers[id - 1].head, eventHash));
        _same(logged, head, "logged head");
        _issuers[id - 1].head = head;
        _passTo(at);
    }

    function _extendRegistry(bytes32 eventHash, bytes32 logged, uint40 at) private {
        _registryHead = keccak256(abi.encode(_registryHead, eventHash));
        _same(logged, _registryHead, "logged registry-wide head");
        _passTo(at);
    }

    function _passTo(uint40 at) private {
        _ordered(_lastAt, at, "events go back in time");
        _lastAt = at;
    }

    function _knownIssuer(Vm.Log memory log) private view returns (uint32 id) {
        id = uint32(uint256(log.topics[1]));
        _require(id != 0 && id <= _issuers.length, "an event of no issuer");
    }

    function _knownKey(Vm.Log memory log, uint32 id) private view returns (address key) {
        key = _addressOf(log.topics[2]);
        _same(_keys[key].issuer, id, "an event of no key of this issuer");
    }

    function _addressOf(bytes32 topic) private pure returns (address) {
        return address(uint160(uint256(topic)));
    }
}
