// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";

import {
    ICredentialRegistry,
    MAX_CANCELLED_NONCES,
    MAX_REASON,
    SCOPE_ANCHOR,
    SCOPE_STATUS
} from "../../src/interfaces/ICredentialRegistry.sol";
import {IRegistryErrors} from "../../src/interfaces/IRegistryErrors.sol";
import {Consent} from "../support/Consent.sol";
import {Relay, RelayedCall, RelayedCalls} from "../support/RelayedCall.sol";
import {Slots} from "../support/Slots.sol";
import {Credential} from "../support/Trees.sol";
import {Ghosts} from "./Ghosts.sol";

/// @title How each call must be refused, by the ghosts: with exactly which error; empty if it must succeed
contract Rules is Ghosts {
    using RelayedCalls for RelayedCall;

    bytes32 private constant _ADMIN_ROLE = 0;
    bytes32 private constant _ACCREDITOR_ROLE = keccak256("credanchor/role/accreditor");

    /* ACCREDITORS */

    function ofRoleChange(address actor, address admin) external pure returns (bytes memory) {
        return actor == admin ? bytes("") : _unauthorized(actor, _ADMIN_ROLE);
    }

    function ofAccredit(address actor, bytes32 didHash) external view returns (bytes memory) {
        if (!isAccreditor[actor]) return _unauthorized(actor, _ACCREDITOR_ROLE);
        uint32 taken = issuerOfDid[didHash];
        if (taken == 0) return "";
        return abi.encodeWithSelector(IRegistryErrors.DidAlreadyAccredited.selector, didHash, taken);
    }

    function ofWithdraw(address actor, uint32 issuer, uint40 at, uint8 reason) external view returns (bytes memory) {
        if (!isAccreditor[actor]) return _unauthorized(actor, _ACCREDITOR_ROLE);
        if (reason == 0 || reason > MAX_REASON) return _invalidReason(reason);
        uint40 current = _issuers[issuer].withdrawnAt;
        if (current != 0 && current <= _now()) return _withdrawn(issuer);
        if (at == 0) at = _now() + 1;
        if (at <= _now()) return abi.encodeWithSelector(IRegistryErrors.WithdrawalInPast.selector, at, _now());
        if (current == 0 || at < current) return "";
        return abi.encodeWithSelector(IRegistryErrors.WithdrawalNotEarlier.selector, issuer, at, current);
    }

    /* CONTROLLERS */

    function ofOffer(address actor, uint32 issuer, address controller) external view returns (bytes memory) {
        if (_issuers[issuer].controller != actor) return _notController(issuer, actor);
        if (controller == actor) {
            return abi.encodeWithSelector(IRegistryErrors.AlreadyController.selector, issuer, actor);
        }
        if (offeredTo[issuer] != controller) return "";
        return abi.encodeWithSelector(IRegistryErrors.ControllerOfferUnchanged.selector, issuer, controller);
    }

    function ofAccept(address actor, uint32 issuer) external view returns (bytes memory) {
        if (offeredTo[issuer] == actor) return "";
        return abi.encodeWithSelector(IRegistryErrors.NotPendingController.selector, issuer, actor);
    }

    function ofAddKey(address actor, Consent calldata consent) external view returns (bytes memory) {
        uint32 issuer = consent.issuer;
        if (_issuers[issuer].controller != actor) return _notController(issuer, actor);
        uint32 boundTo = _keys[consent.key].issuer;
        if (boundTo != 0) {
            return abi.encodeWithSelector(IRegistryErrors.KeyAlreadyBound.selector, consent.key, boundTo);
        }
        uint16 current = _issuers[issuer].statusEpoch;
        bool anchors = consent.scope == SCOPE_ANCHOR;
        if (anchors && _isWithdrawn(issuer)) return _withdrawn(issuer);
        if (anchors
                ? consent.statusEpoch != 0
                : consent.statusEpoch != current && consent.statusEpoch != nextEpoch[issuer]) {
            return abi.encodeWithSelector(
                IRegistryErrors.InvalidStatusEpoch.selector, consent.scope, consent.statusEpoch, current
            );
        }
        if (consent.validFrom == 0 || consent.validFrom >= _now()) return "";
        return abi.encodeWithSelector(IRegistryErrors.ValidFromInPast.selector, consent.validFrom, _now());
    }

    function ofRetire(address actor, address key) external view returns (bytes memory) {
        uint32 issuer = _keys[key].issuer;
        if (_issuers[issuer].controller != actor) return _notController(issuer, actor);
        return cutOffOf(key) == 0 ? bytes("") : _keyCutOff(key);
    }

    function ofCompromise(address actor, address key, uint40 since) external view returns (bytes memory) {
        ICredentialRegistry.Key memory record = _keys[key];
        if (_issuers[record.issuer].controller != actor) return _notController(record.issuer, actor);
        if (since < record.validFrom) {
            return abi.encodeWithSelector(IRegistryErrors.CompromisedBeforeValid.selector, key, since, record.validFrom);
        }
        if (since > _now()) {
            return abi.encodeWithSelector(IRegistryErrors.CompromisedInFuture.selector, key, since, _now());
        }
        uint40 cutOff = cutOffOf(key);
        if (cutOff == 0 || since < cutOff) return "";
        return abi.encodeWithSelector(IRegistryErrors.CutOffNotEarlier.selector, key, since, cutOff);
    }

    function ofCancel(address actor, address key, uint256 nonce) external view returns (bytes memory) {
        uint32 issuer = _keys[key].issuer;
        if (actor != key && _issuers[issuer].controller != actor) return _notController(issuer, actor);
        uint256 next = nonces[key];
        if (nonce > next && nonce <= next + MAX_CANCELLED_NONCES) return "";
        return abi.encodeWithSelector(IRegistryErrors.NonceOutOfRange.selector, key, nonce, next);
    }

    /* KEYS */

    /// @notice A signed call that is sent to a registry, perhaps another than it was signed for, or on another chain.
    function ofSignature(RelayedCall calldata call, address signedFor, uint256 signedOn, address registry, uint256 next)
        external
        view
        returns (bytes memory)
    {
        if (call.relay != Relay.ANCHOR && call.nonce != next) {
            return abi.encodeWithSelector(IRegistryErrors.InvalidNonce.selector, call.key, call.nonce, next);
        }
        if (call.deadline < _now()) {
            return abi.encodeWithSelector(IRegistryErrors.SignatureExpired.selector, call.deadline, _now());
        }
        if (signedFor == registry && signedOn == block.chainid) return "";
        bytes32 digest = call.digest(block.chainid, registry);
        return abi.encodeWithSelector(IRegistryErrors.InvalidSignature.selector, call.key, digest);
    }

    /// @notice What a key does itself, or by a good signature.
    /// @param isBare Anchors by the bare root: who is no key is refused as such, and size 0 is none stated.
    function ofKeyCall(RelayedCall calldata call, bool isBare) external view returns (bytes memory) {
        ICredentialRegistry.Key memory key = _keys[call.key];
        bool anchors = call.relay == Relay.ANCHOR;
        if (isBare && key.issuer == 0) return abi.encodeWithSelector(IRegistryErrors.UnknownKey.selector, call.key);
        if (anchors && !isBare && call.size == 0) {
            return abi.encodeWithSelector(IRegistryErrors.ZeroSize.selector, call.issuer, call.root);
        }
        if (key.issuer != call.issuer) {
            return abi.encodeWithSelector(IRegistryErrors.KeyNotOfIssuer.selector, call.key, call.issuer, key.issuer);
        }
        uint8 scope = anchors ? SCOPE_ANCHOR : SCOPE_STATUS;
        if (key.scope != scope) {
            return abi.encodeWithSelector(IRegistryErrors.WrongScope.selector, call.key, key.scope, scope);
        }
        if (_now() < key.validFrom) {
            return abi.encodeWithSelector(IRegistryErrors.KeyNotYetValid.selector, call.key, key.validFrom);
        }
        uint40 cutOff = cutOffOf(call.key);
        if (cutOff != 0 && cutOff <= _now()) return _keyCutOff(call.key);
        return anchors ? _ofAnchor(call) : _ofStatus(call, key.statusEpoch);
    }

    /* VERIFICATION */

    /// @notice Whether the batch's sampled credential is good: the ghosts' own judgement, from design section 7.
    function isGood(uint32 issuer, uint256 rootIndex) external view returns (bool) {
        ICredentialRegistry.Batch memory batch = _batches[issuer][rootAt(rootIndex)];
        if (batch.anchoredAt == 0 || batch.size != SIZE || isVoid(batch)) return false;
        uint40 withdrawnAt = _issuers[issuer].withdrawnAt;
        if (withdrawnAt != 0 && withdrawnAt <= batch.anchoredAt) return false;
        uint16 epoch = _issuers[issuer].statusEpoch;
        if (batch.revokedReason != 0 && batch.revokedEpoch >= epoch) return false;
        Credential memory credential = credentialAt(rootIndex);
        uint16 word = uint16(credential.statusIndex / 256);
        uint256 either = bits[Slots.word(Slots.REVOKED, issuer, epoch, credential.list, word)]
            | bits[Slots.word(Slots.SUSPENDED, issuer, epoch, credential.list, word)];
        return (either >> (credential.statusIndex % 256)) & 1 == 0;
    }

    function isVoid(ICredentialRegistry.Batch memory batch) public view returns (bool) {
        uint40 cutOff = cutOffOf(batch.key);
        return cutOff != 0 && cutOff <= batch.anchoredAt;
    }

    /* PRIVATE */

    function _ofAnchor(RelayedCall calldata call) private view returns (bytes memory) {
        if (_isWithdrawn(call.issuer)) return _withdrawn(call.issuer);
        ICredentialRegistry.Batch memory batch = _batches[call.issuer][call.root];
        bool isRevoked = batch.revokedReason != 0 && batch.revokedEpoch >= _issuers[call.issuer].statusEpoch;
        if (batch.anchoredAt == 0 || (isVoid(batch) && !isRevoked)) return "";
        return
            abi.encodeWithSelector(IRegistryErrors.AlreadyAnchored.selector, call.issuer, call.root, batch.anchoredAt);
    }

    function _ofStatus(RelayedCall calldata call, uint16 epoch) private view returns (bytes memory) {
        uint16 current = _issuers[call.issuer].statusEpoch;
        if (epoch != current && epoch != nextEpoch[call.issuer]) {
            return abi.encodeWithSelector(IRegistryErrors.StatusEpochOver.selector, call.key, epoch, current);
        }
        if (call.reason == 0 || call.reason > MAX_REASON) return _invalidReason(call.reason);
        if (call.relay == Relay.REVOKE_BATCH) return _ofBatchRevocation(call, epoch);
        for (uint256 i = 0; i < call.words.length; ++i) {
            uint256 old = bits[_slotOf(call, i)];
            if (call.masks[i] & (call.relay == Relay.REINSTATE ? old : ~old) == 0) {
                return abi.encodeWithSelector(IRegistryErrors.NothingChanges.selector, call.list, call.words[i]);
            }
        }
        return "";
    }

    function _ofBatchRevocation(RelayedCall calldata call, uint16 epoch) private view returns (bytes memory) {
        ICredentialRegistry.Batch memory batch = _batches[call.issuer][call.root];
        if (batch.anchoredAt == 0) {
            return abi.encodeWithSelector(IRegistryErrors.NotAnchored.selector, call.issuer, call.root);
        }
        if (batch.revokedReason == 0 || batch.revokedEpoch < epoch) return "";
        return abi.encodeWithSelector(
            IRegistryErrors.BatchAlreadyRevoked.selector, call.issuer, call.root, batch.revokedEpoch
        );
    }

    function _isWithdrawn(uint32 issuer) private view returns (bool) {
        uint40 withdrawnAt = _issuers[issuer].withdrawnAt;
        return withdrawnAt != 0 && withdrawnAt <= _now();
    }

    function _withdrawn(uint32 issuer) private view returns (bytes memory) {
        return abi.encodeWithSelector(IRegistryErrors.IssuerWithdrawn.selector, issuer, _issuers[issuer].withdrawnAt);
    }

    function _keyCutOff(address key) private view returns (bytes memory) {
        return abi.encodeWithSelector(IRegistryErrors.KeyCutOff.selector, key, cutOffOf(key));
    }

    function _notController(uint32 issuer, address actor) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRegistryErrors.NotController.selector, issuer, actor);
    }

    function _invalidReason(uint8 reason) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRegistryErrors.InvalidReason.selector, reason);
    }

    function _unauthorized(address actor, bytes32 role) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, actor, role);
    }
}
