// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {SCOPE_STATUS} from "../../src/interfaces/ICredentialRegistry.sol";
import {IRegistryErrors} from "../../src/interfaces/IRegistryErrors.sol";
import {vm} from "../Vm.sol";
import {RelayTest} from "../support/RelayTest.sol";
import {Relay, RelayedCall, RelayedCalls} from "../support/RelayedCall.sol";
import {LaxWallet} from "../support/Signers.sol";

/// @title Attacks by relayers, and by thieves of STATUS keys; each fails for the attacker
/// @dev `RelayTest` has suspended some credentials and anchored `ANCHORED_ROOT`. Here `statusKey` is the one stolen.
contract RelayersAndEpochsTest is RelayTest {
    using RelayedCalls for RelayedCall;

    uint256 private constant _STAGED_PK = 0x5a;
    uint256 private constant _SECOND_STAGED_PK = 0x5b;
    uint256 private constant _HONEST_BITS = 0x11;
    bytes32 private constant _HONEST_ROOT = keccak256("honestly revoked");

    address private immutable _staged = vm.addr(_STAGED_PK);
    address private immutable _secondStaged = vm.addr(_SECOND_STAGED_PK);

    /// Defence: the nonce that the reinstatement was signed with is used by the new suspension.
    function test_attack_reinstateHeldBackAndReplayedAfterNewSuspension() public {
        RelayedCall memory held = _valid(Relay.REINSTATE);
        bytes memory signature = _sign(held);
        // Sent once, it works; then the key suspends anew by a relayed call, and the same bytes come again.
        _send(held, signature);
        RelayedCall memory suspension = _valid(Relay.SUSPEND);
        (suspension.words, suspension.masks) = (held.words, held.masks);
        _send(suspension, _sign(suspension));
        _expectInvalidNonce(held, registry.nonceOf(statusKey));
        _send(held, signature);
        _expectSuspended();
    }

    /// The same by direct calls, which use a nonce for this alone: never sent until the key has decided anew.
    function test_attack_reinstateHeldBackThroughDirectCalls() public {
        RelayedCall memory held = _valid(Relay.REINSTATE);
        bytes memory signature = _sign(held);
        vm.prank(statusKey);
        registry.reinstate(ISSUER, LIST, held.words, held.masks, REASON);
        vm.prank(statusKey);
        registry.suspend(ISSUER, LIST, held.words, held.masks, REASON);
        _expectInvalidNonce(held, registry.nonceOf(statusKey));
        _send(held, signature);
        _expectSuspended();
        _audit();
    }

    /// Defence: chain, contract and issuer are in what is signed.
    function test_attack_signatureForAnotherChainContractOrIssuer() public {
        for (uint256 i = 0; i < RELAY_COUNT; ++i) {
            RelayedCall memory call = _valid(Relay(i));
            bytes memory signature = call.sign(_privateKeyOf(call), block.chainid + 1, address(registry));
            _expectInvalidSignature(call);
            _send(call, signature);
            signature = call.sign(_privateKeyOf(call), block.chainid, address(history));
            _expectInvalidSignature(call);
            _send(call, signature);
            call.issuer = OTHER_ISSUER;
            signature = _sign(call);
            call.issuer = ISSUER;
            _expectInvalidSignature(call);
            _send(call, signature);
        }
    }

    /// Defence: an account that delegated its code is asked for its own signature; its delegate is not asked.
    function test_attack_delegateSignsForItsKey() public {
        for (uint256 i = 0; i < RELAY_COUNT; ++i) {
            RelayedCall memory call = _valid(Relay(i));
            vm.etch(call.key, abi.encodePacked(hex"ef0100", address(new LaxWallet())));
            bytes memory signature = call.sign(0xbad, block.chainid, address(registry));
            _expectInvalidSignature(call);
            _send(call, signature);
            _send(call, _sign(call));
        }
        _audit();
    }

    /// The thief revokes a full list and a batch, and tries to write the staged epoch. Defence: a key writes one epoch; the
    /// honest revocations are staged in the next, which then becomes current.
    function test_attack_thiefRevokesAllAndTriesTheStagedEpoch() public {
        _revokeHonestly(statusKey, 0);
        _thiefRevokesAll();
        _expectHonestlyRevoked();

        _addKey(controller, _consent(ISSUER, _staged, SCOPE_STATUS, 1), _STAGED_PK);
        _expectHonestlyRevoked();
        _revokeHonestly(_staged, 1);
        _expectHonestlyRevoked();
        _compromiseKey(controller, statusKey, START);

        _expectHonestlyRevoked();
        _expectNothingElseRevoked();
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.KeyCutOff.selector, statusKey, START));
        vm.prank(statusKey);
        registry.revoke(ISSUER, LIST, _words(1), _masks(2), REASON);
        _audit();
    }

    /// The thief has the staged key, too. Defence: its epoch is skipped, and the one after it staged.
    function test_attack_thiefHasTheStagedKeyToo() public {
        _revokeHonestly(statusKey, 0);
        _thiefRevokesAll();
        _addKey(controller, _consent(ISSUER, _staged, SCOPE_STATUS, 1), _STAGED_PK);
        _revoke(_staged, LIST, 3, type(uint256).max);
        _expectHonestlyRevoked();

        _compromiseKey(controller, _staged, START);
        vm.assertEq(registry.issuerOf(ISSUER).statusEpoch, 0);
        vm.assertEq(registry.nextStatusEpochOf(ISSUER), 2);
        _addKey(controller, _consent(ISSUER, _secondStaged, SCOPE_STATUS, 2), _SECOND_STAGED_PK);
        _revokeHonestly(_secondStaged, 2);
        _expectHonestlyRevoked();
        _compromiseKey(controller, statusKey, START);

        vm.assertEq(registry.issuerOf(ISSUER).statusEpoch, 2);
        _expectHonestlyRevoked();
        _expectNothingElseRevoked();
        _audit();
    }

    /// A registrar revokes with a key of an epoch that is over, and believes it done. Defence: the call is refused.
    function test_attack_pastEpochSwallowsRevocations() public {
        _addKey(controller, _consent(ISSUER, newKey, SCOPE_STATUS, 0), NEW_PK);
        _compromiseKey(controller, statusKey, START);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.StatusEpochOver.selector, newKey, 0, 1));
        _revoke(newKey, LIST, 1, 1);
    }

    /* THE STORY'S STEPS */

    function _thiefRevokesAll() private {
        uint16[] memory words = new uint16[](512);
        uint256[] memory masks = new uint256[](512);
        for (uint16 i = 0; i < 512; ++i) {
            (words[i], masks[i]) = (i, type(uint256).max);
        }
        vm.prank(statusKey);
        registry.revoke(ISSUER, LIST, words, masks, REASON);
        vm.prank(statusKey);
        registry.revokeBatch(ISSUER, ANCHORED_ROOT, REASON);
        vm.assertTrue(registry.isRevoked(ISSUER, LIST, 131_071));
    }

    /// @dev One credential on another list, and one batch: what the institution itself decided.
    function _revokeHonestly(address key, uint16 epoch) private {
        if (epoch == 0) _anchor(anchorKey, ISSUER, _HONEST_ROOT, 9);
        _revoke(key, LIST + 1, 7, _HONEST_BITS);
        vm.prank(key);
        registry.revokeBatch(ISSUER, _HONEST_ROOT, REASON);
    }

    function _revoke(address key, uint32 list, uint16 word, uint256 mask) private {
        vm.prank(key);
        registry.revoke(ISSUER, list, _words(word), _masks(mask), REASON);
    }

    function _expectHonestlyRevoked() private view {
        vm.assertTrue(registry.isRevoked(ISSUER, LIST + 1, 7 * 256), "an honest revocation is gone");
        vm.assertTrue(registry.isRevoked(ISSUER, LIST + 1, 7 * 256 + 4), "an honest revocation is gone");
        vm.assertTrue(_isBatchRevoked(_HONEST_ROOT), "an honestly revoked batch is not");
    }

    function _expectNothingElseRevoked() private view {
        for (uint256 index = 0; index < 131_072; index += 255) {
            vm.assertFalse(registry.isRevoked(ISSUER, LIST, index), "a thief's revocation counts");
        }
        vm.assertFalse(registry.isRevoked(ISSUER, LIST + 1, 7 * 256 + 1));
        vm.assertFalse(_isBatchRevoked(ANCHORED_ROOT), "a batch that a thief revoked is");
    }

    function _expectSuspended() private view {
        vm.assertTrue(registry.isSuspended(ISSUER, LIST, uint256(SUSPENDED_WORD) * 256), "a later decision was undone");
    }

    function _isBatchRevoked(bytes32 root) private view returns (bool) {
        uint16 epoch = registry.issuerOf(ISSUER).statusEpoch;
        return registry.batchOf(ISSUER, root).revokedReason != 0 && registry.batchOf(ISSUER, root).revokedEpoch >= epoch;
    }
}
