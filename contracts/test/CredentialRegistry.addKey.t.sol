// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICredentialRegistry, SCOPE_ANCHOR, SCOPE_STATUS} from "../src/interfaces/ICredentialRegistry.sol";
import {IRegistryErrors} from "../src/interfaces/IRegistryErrors.sol";
import {IRegistryEvents} from "../src/interfaces/IRegistryEvents.sol";
import {vm} from "./Vm.sol";
import {Consent, Consents} from "./support/Consent.sol";
import {RegistryTest} from "./support/RegistryTest.sol";
import {Slots} from "./support/Slots.sol";
import {Wallet} from "./support/Wallet.sol";

contract AddKeyTest is RegistryTest {
    using Consents for Consent;

    function test_addKey_storesKeyFromNow() public {
        vm.warp(START + 7);
        _addKey(controller, _consent(ISSUER, newKey, SCOPE_ANCHOR, 0), NEW_PK);
        ICredentialRegistry.Key memory record = registry.keyOf(newKey);
        vm.assertEq(record.issuer, ISSUER);
        vm.assertEq(record.validFrom, START + 7);
        vm.assertEq(record.validUntil, 0);
        vm.assertEq(record.compromisedAt, 0);
        vm.assertEq(record.scope, SCOPE_ANCHOR);
        vm.assertEq(record.statusEpoch, 0);
        _audit();
    }

    function test_addKey_emitsKeyAddedWithHead() public {
        Consent memory consent = _consent(ISSUER, newKey, SCOPE_STATUS, 1);
        bytes memory signature = consent.sign(NEW_PK, block.chainid, address(registry));
        bytes32 eventHash = keccak256(
            abi.encode(
                keccak256("KeyAdded(uint32,address,uint8,uint16,uint40,address,uint40,bytes32)"),
                ISSUER,
                newKey,
                SCOPE_STATUS,
                uint16(1),
                START,
                controller,
                START
            )
        );
        bytes32 head = keccak256(abi.encode(_headOf(ISSUER), eventHash));
        bytes32 registryHead = registry.registryHead();
        vm.expectEmit(true, true, true, true, address(registry));
        emit IRegistryEvents.KeyAdded(ISSUER, newKey, SCOPE_STATUS, 1, START, controller, START, head);
        _addKey(controller, consent, signature);
        vm.assertEq(_headOf(ISSUER), head);
        vm.assertEq(registry.registryHead(), registryHead);
    }

    function test_fuzz_addKey_storesLaterStart(uint40 validFrom, uint40 deadline) public {
        Consent memory consent = _consent(ISSUER, newKey, SCOPE_STATUS, 0);
        consent.validFrom = validFrom < START ? START + validFrom : validFrom;
        consent.deadline = deadline < START ? type(uint40).max - deadline : deadline;
        _addKey(controller, consent, NEW_PK);
        vm.assertEq(registry.keyOf(newKey).validFrom, consent.validFrom);
        _audit();
    }

    function test_addKey_takesConsentAtItsDeadline() public {
        Consent memory consent = _consent(ISSUER, newKey, SCOPE_ANCHOR, 0);
        vm.warp(consent.deadline);
        _addKey(controller, consent, NEW_PK);
        vm.assertEq(registry.keyOf(newKey).validFrom, consent.deadline);
    }

    function test_addKey_takesStagedStatusEpoch() public {
        _addKey(controller, _consent(ISSUER, newKey, SCOPE_STATUS, 1), NEW_PK);
        vm.assertEq(registry.keyOf(newKey).statusEpoch, 1);
        _audit();
    }

    /// A thief of the staged epoch is not joined: the next one is another.
    function test_addKey_takesNextStatusEpochAfterASkippedOne() public {
        _addKey(controller, _consent(ISSUER, newKey, SCOPE_STATUS, 1), NEW_PK);
        _compromiseKey(controller, newKey, START);
        Consent memory consent = _consent(ISSUER, stranger, SCOPE_STATUS, 1);
        _expectInvalidEpoch(SCOPE_STATUS, 1, 0);
        _addKey(controller, consent, 0xbad);
        consent.statusEpoch = 2;
        _addKey(controller, consent, 0xbad);
        vm.assertEq(registry.keyOf(stranger).statusEpoch, 2);
        _audit();
    }

    /// Nor is an epoch that was left: what is written there counts no more.
    function test_addKey_revertsWithInvalidStatusEpochOfLeftOne() public {
        _compromiseKey(controller, statusKey, START);
        _expectInvalidEpoch(SCOPE_STATUS, 0, 1);
        _addKey(controller, _consent(ISSUER, newKey, SCOPE_STATUS, 0), NEW_PK);
        _expectInvalidEpoch(SCOPE_STATUS, 3, 1);
        _addKey(controller, _consent(ISSUER, newKey, SCOPE_STATUS, 3), NEW_PK);
        _addKey(controller, _consent(ISSUER, newKey, SCOPE_STATUS, 1), NEW_PK);
        _audit();
    }

    function test_addKey_takesLastStatusEpoch() public {
        Slots.setStatusEpochs(address(registry), ISSUER, type(uint16).max - 1, type(uint16).max);
        _addKey(controller, _consent(ISSUER, newKey, SCOPE_STATUS, type(uint16).max), NEW_PK);
        vm.assertEq(registry.keyOf(newKey).statusEpoch, type(uint16).max);
    }

    function test_addKey_takesWalletThatConsentsByErc1271() public {
        Wallet wallet = new Wallet(newKey);
        _addKey(controller, _consent(ISSUER, address(wallet), SCOPE_ANCHOR, 0), NEW_PK);
        wallet.anchor(registry, ISSUER, ROOT, 10);
        vm.assertEq(registry.batchOf(ISSUER, ROOT).key, address(wallet));
        _audit();
    }

    function test_addKey_revertsWithUnknownIssuer() public {
        uint32[2] memory unknown = [uint32(0), 3];
        for (uint256 i = 0; i < unknown.length; ++i) {
            Consent memory consent = _consent(unknown[i], newKey, SCOPE_ANCHOR, 0);
            vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.UnknownIssuer.selector, unknown[i]));
            _addKey(controller, consent, NEW_PK);
        }
    }

    function test_addKey_revertsWithNotController() public {
        address[5] memory others = [admin, accreditor, otherController, anchorKey, newKey];
        for (uint256 i = 0; i < others.length; ++i) {
            Consent memory consent = _consent(ISSUER, newKey, SCOPE_ANCHOR, 0);
            vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.NotController.selector, ISSUER, others[i]));
            _addKey(others[i], consent, NEW_PK);
        }
    }

    function test_fuzz_addKey_revertsWithNotController(address other) public {
        vm.assume(other != controller);
        Consent memory consent = _consent(ISSUER, newKey, SCOPE_ANCHOR, 0);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.NotController.selector, ISSUER, other));
        _addKey(other, consent, NEW_PK);
    }

    function test_addKey_revertsWithIssuerWithdrawn() public {
        _withdraw(ISSUER, START + 10);
        vm.warp(START + 9);
        _addKey(controller, _consent(ISSUER, stranger, SCOPE_ANCHOR, 0), 0xbad);
        for (uint40 at = START + 10; at <= START + 11; ++at) {
            vm.warp(at);
            Consent memory consent = _consent(ISSUER, newKey, SCOPE_ANCHOR, 0);
            vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.IssuerWithdrawn.selector, ISSUER, START + 10));
            _addKey(controller, consent, NEW_PK);
        }
        _addKey(otherController, _consent(OTHER_ISSUER, newKey, SCOPE_ANCHOR, 0), NEW_PK);
        _audit();
    }

    /// Who cares for what was issued can be replaced: docs/adr/0013-after-withdrawal.md.
    function test_addKey_takesStatusKeysAfterWithdrawal() public {
        _withdraw(ISSUER, START + 10);
        vm.warp(START + 11);
        _addKey(controller, _consent(ISSUER, newKey, SCOPE_STATUS, 0), NEW_PK);
        _addKey(controller, _consent(ISSUER, stranger, SCOPE_STATUS, 1), 0xbad);
        vm.prank(newKey);
        registry.revoke(ISSUER, 0, _words(0), _masks(1), 1);
        vm.assertTrue(registry.isRevoked(ISSUER, 0, 0));
        _audit();
    }

    /// A withdrawal that is announced does not stop what it will end.
    function test_addKey_takesAnchorKeyThatStartsAfterAnnouncedWithdrawal() public {
        _withdraw(ISSUER, START + 10);
        Consent memory consent = _consent(ISSUER, newKey, SCOPE_ANCHOR, 0);
        consent.validFrom = START + 10;
        _addKey(controller, consent, NEW_PK);
        vm.warp(START + 10);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.IssuerWithdrawn.selector, ISSUER, START + 10));
        _anchor(newKey, ISSUER, ROOT, 10);
        _audit();
    }

    function test_addKey_revertsWithKeyAlreadyBound() public {
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.KeyAlreadyBound.selector, anchorKey, ISSUER));
        _addKey(controller, _consent(ISSUER, anchorKey, SCOPE_STATUS, 0), ANCHOR_PK);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.KeyAlreadyBound.selector, anchorKey, ISSUER));
        _addKey(otherController, _consent(OTHER_ISSUER, anchorKey, SCOPE_ANCHOR, 0), ANCHOR_PK);
    }

    /// For ever: also once it is retired, or compromised.
    function test_addKey_revertsWithKeyAlreadyBoundAfterItsEnd() public {
        _retireKey(controller, anchorKey);
        _compromiseKey(controller, statusKey, START);
        vm.warp(START + 1);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.KeyAlreadyBound.selector, anchorKey, ISSUER));
        _addKey(controller, _consent(ISSUER, anchorKey, SCOPE_ANCHOR, 0), ANCHOR_PK);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.KeyAlreadyBound.selector, statusKey, ISSUER));
        _addKey(otherController, _consent(OTHER_ISSUER, statusKey, SCOPE_STATUS, 0), STATUS_PK);
    }

    function test_fuzz_addKey_revertsWithInvalidScope(uint8 scope) public {
        vm.assume(scope != SCOPE_ANCHOR && scope != SCOPE_STATUS);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.InvalidScope.selector, scope));
        _addKey(controller, _consent(ISSUER, newKey, scope, 0), NEW_PK);
    }

    /// An ANCHOR key has none, not even the one that counts.
    function test_fuzz_addKey_revertsWithInvalidStatusEpochOfAnchorKey(uint16 current, uint16 epoch) public {
        vm.assume(epoch != 0);
        Slots.setStatusEpochs(address(registry), ISSUER, current, epoch);
        _expectInvalidEpoch(SCOPE_ANCHOR, epoch, current);
        _addKey(controller, _consent(ISSUER, newKey, SCOPE_ANCHOR, epoch), NEW_PK);
        Slots.setStatusEpochs(address(registry), ISSUER, epoch, current);
        _expectInvalidEpoch(SCOPE_ANCHOR, epoch, epoch);
        _addKey(controller, _consent(ISSUER, newKey, SCOPE_ANCHOR, epoch), NEW_PK);
    }

    function test_fuzz_addKey_revertsWithInvalidStatusEpoch(uint16 current, uint16 next, uint16 epoch) public {
        vm.assume(next != 0 && epoch != current && epoch != next);
        Slots.setStatusEpochs(address(registry), ISSUER, current, next);
        _expectInvalidEpoch(SCOPE_STATUS, epoch, current);
        _addKey(controller, _consent(ISSUER, newKey, SCOPE_STATUS, epoch), NEW_PK);
    }

    function test_addKey_revertsWithInvalidStatusEpochAtTheStart() public {
        uint16[3] memory wrong = [2, 3, type(uint16).max];
        for (uint256 i = 0; i < wrong.length; ++i) {
            _expectInvalidEpoch(SCOPE_STATUS, wrong[i], 0);
            _addKey(controller, _consent(ISSUER, newKey, SCOPE_STATUS, wrong[i]), NEW_PK);
        }
    }

    function test_addKey_revertsWithValidFromInPast() public {
        Consent memory consent = _consent(ISSUER, newKey, SCOPE_ANCHOR, 0);
        uint40[2] memory past = [1, START - 1];
        for (uint256 i = 0; i < past.length; ++i) {
            consent.validFrom = past[i];
            vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.ValidFromInPast.selector, past[i], START));
            _addKey(controller, consent, NEW_PK);
        }
        consent.validFrom = START;
        _addKey(controller, consent, NEW_PK);
        _anchor(newKey, ISSUER, ROOT, 10);
        _audit();
    }

    function test_addKey_revertsWithConsentExpired() public {
        Consent memory consent = _consent(ISSUER, newKey, SCOPE_ANCHOR, 0);
        vm.warp(consent.deadline + 1);
        vm.expectRevert(
            abi.encodeWithSelector(IRegistryErrors.ConsentExpired.selector, consent.deadline, consent.deadline + 1)
        );
        _addKey(controller, consent, NEW_PK);
        consent.deadline = 0;
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.ConsentExpired.selector, 0, _now()));
        _addKey(controller, consent, NEW_PK);
    }

    /// Nobody binds another's address: the controller's own signature is no consent.
    function test_addKey_revertsWithInvalidConsentOfAnother() public {
        Consent memory consent = _consent(ISSUER, newKey, SCOPE_ANCHOR, 0);
        _expectInvalidConsent(consent);
        _addKey(controller, consent, 0xc1);
    }

    function test_addKey_revertsWithInvalidConsentForNobody() public {
        Consent memory consent = _consent(ISSUER, address(0), SCOPE_ANCHOR, 0);
        bytes memory signature = new bytes(65);
        _expectInvalidConsent(consent);
        _addKey(controller, consent, signature);
    }

    function test_addKey_revertsWithInvalidConsentOfOtherContent() public {
        _compromiseKey(controller, statusKey, START);
        Consent memory agreed = _consent(ISSUER, newKey, SCOPE_STATUS, 1);
        agreed.validFrom = START + 1;
        bytes memory signature = agreed.sign(NEW_PK, block.chainid, address(registry));
        Consent[5] memory others;
        for (uint256 i = 0; i < others.length; ++i) {
            others[i] = Consent({
                issuer: ISSUER,
                key: newKey,
                scope: SCOPE_STATUS,
                statusEpoch: 1,
                validFrom: START + 1,
                deadline: agreed.deadline
            });
        }
        others[0].key = stranger;
        (others[1].scope, others[1].statusEpoch) = (SCOPE_ANCHOR, 0);
        others[2].statusEpoch = 2;
        others[3].validFrom = 0;
        others[4].deadline += 1;
        for (uint256 i = 0; i < others.length; ++i) {
            _expectInvalidConsent(others[i]);
            _addKey(controller, others[i], signature);
        }
        _addKey(controller, agreed, signature);
    }

    /// The same consent offered by another issuer's controller.
    function test_addKey_revertsWithInvalidConsentForOtherIssuer() public {
        Consent memory agreed = _consent(ISSUER, newKey, SCOPE_ANCHOR, 0);
        bytes memory signature = agreed.sign(NEW_PK, block.chainid, address(registry));
        Consent memory other = _consent(OTHER_ISSUER, newKey, SCOPE_ANCHOR, 0);
        _expectInvalidConsent(other);
        _addKey(otherController, other, signature);
    }

    function test_addKey_revertsWithInvalidConsentForOtherChain() public {
        Consent memory consent = _consent(ISSUER, newKey, SCOPE_ANCHOR, 0);
        bytes memory signature = consent.sign(NEW_PK, block.chainid + 1, address(registry));
        _expectInvalidConsent(consent);
        _addKey(controller, consent, signature);
    }

    /// After a split of the chain a consent is good on the side it was signed for, and not on the other.
    function test_addKey_followsTheChainId() public {
        Consent memory consent = _consent(ISSUER, newKey, SCOPE_ANCHOR, 0);
        bytes memory before = consent.sign(NEW_PK, block.chainid, address(registry));
        bytes memory afterwards = consent.sign(NEW_PK, 10, address(registry));
        bytes32 digest = consent.digest(10, address(registry));
        vm.chainId(10);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.InvalidConsent.selector, newKey, digest));
        _addKey(controller, consent, before);
        _addKey(controller, consent, afterwards);
    }

    function test_addKey_revertsWithInvalidConsentForOtherContract() public {
        Consent memory consent = _consent(ISSUER, newKey, SCOPE_ANCHOR, 0);
        bytes memory signature = consent.sign(NEW_PK, block.chainid, address(history));
        _expectInvalidConsent(consent);
        _addKey(controller, consent, signature);
    }

    function test_addKey_revertsWithInvalidConsentOfWallet() public {
        Wallet wallet = new Wallet(stranger);
        Consent memory consent = _consent(ISSUER, address(wallet), SCOPE_ANCHOR, 0);
        _expectInvalidConsent(consent);
        _addKey(controller, consent, NEW_PK);
    }

    /// A contract that does not know ERC-1271 cannot consent, nor can anybody in its name.
    function test_addKey_revertsWithInvalidConsentOfOtherContract() public {
        Consent memory consent = _consent(ISSUER, address(registry), SCOPE_ANCHOR, 0);
        _expectInvalidConsent(consent);
        _addKey(controller, consent, NEW_PK);
    }

    function test_keyOf_isZeroForNone() public view {
        ICredentialRegistry.Key memory none;
        vm.assertEq(keccak256(abi.encode(registry.keyOf(stranger))), keccak256(abi.encode(none)));
    }

    function _expectInvalidEpoch(uint8 scope, uint16 epoch, uint16 current) private {
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.InvalidStatusEpoch.selector, scope, epoch, current));
    }

    function _expectInvalidConsent(Consent memory consent) private {
        bytes32 digest = consent.digest(block.chainid, address(registry));
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.InvalidConsent.selector, consent.key, digest));
    }
}
