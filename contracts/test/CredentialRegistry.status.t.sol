// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {MAX_REASON, SCOPE_ANCHOR, SCOPE_STATUS} from "../src/interfaces/ICredentialRegistry.sol";
import {IRegistryErrors} from "../src/interfaces/IRegistryErrors.sol";
import {IRegistryEvents} from "../src/interfaces/IRegistryEvents.sol";
import {StatusWords} from "../src/libraries/StatusWords.sol";
import {vm} from "./Vm.sol";
import {Consent} from "./support/Consent.sol";
import {RegistryTest} from "./support/RegistryTest.sol";
import {Slots} from "./support/Slots.sol";

contract StatusTest is RegistryTest {
    uint32 private constant _LIST = 4;
    uint8 private constant _REASON = 5;

    // What the naive model of the fuzz test remembers.
    mapping(uint256 index => bool) private _revoked;
    mapping(uint256 index => bool) private _suspended;

    /* REVOKE */

    function test_revoke_setsOneBit() public {
        // Index 94,567 = 369 * 256 + 103.
        _revoke(_words(369), _masks(1 << 103));
        vm.assertTrue(registry.isRevoked(ISSUER, _LIST, 94_567));
        vm.assertFalse(registry.isRevoked(ISSUER, _LIST, 94_566));
        vm.assertFalse(registry.isRevoked(ISSUER, _LIST, 94_568));
        vm.assertFalse(registry.isSuspended(ISSUER, _LIST, 94_567));
        vm.assertFalse(registry.isRevoked(ISSUER, _LIST + 1, 94_567));
        vm.assertFalse(registry.isRevoked(OTHER_ISSUER, _LIST, 94_567));
        _audit();
    }

    function test_revoke_reachesBothEndsOfTheList() public {
        _revoke(_words(0, 511), _masks(1, 1 << 255));
        vm.assertTrue(registry.isRevoked(ISSUER, _LIST, 0));
        vm.assertTrue(registry.isRevoked(ISSUER, _LIST, 131_071));
        _audit();
    }

    function test_revoke_emitsOnlyBitsThatChanged() public {
        _revoke(_words(3), _masks(5));
        bytes32 head = _expectedHead("CredentialsRevoked", 0, _words(3, 9), _masks(2, 12));
        vm.expectEmit(true, true, true, true, address(registry));
        emit IRegistryEvents.CredentialsRevoked(
            ISSUER, _LIST, 0, _words(3, 9), _masks(2, 12), _REASON, statusKey, START, head
        );
        _revoke(_words(3, 9), _masks(7, 12));
        vm.assertEq(_headOf(ISSUER), head);
        vm.assertTrue(registry.isRevoked(ISSUER, _LIST, 3 * 256 + 2));
        _audit();
    }

    function test_revoke_takesAFullList() public {
        (uint16[] memory words, uint256[] memory masks) = _allWords(512);
        _revoke(words, masks);
        vm.assertTrue(registry.isRevoked(ISSUER, _LIST, 77_777));
        _audit();
    }

    function test_revoke_ofSuspendedKeepsBoth() public {
        _suspend(_words(1), _masks(1));
        _revoke(_words(1), _masks(1));
        (bool revoked, bool suspended) = registry.statusOf(ISSUER, _LIST, 256);
        vm.assertTrue(revoked && suspended);
        _audit();
    }

    /// Withdrawal ends anchoring, not the care for what was issued.
    function test_revoke_goesOnAfterWithdrawal() public {
        Slots.setWithdrawnAt(address(registry), ISSUER, START);
        _revoke(_words(1), _masks(1));
        vm.assertTrue(registry.isRevoked(ISSUER, _LIST, 256));
    }

    /// A staged key prepares the next epoch and leaves the current one alone.
    function test_revoke_writesTheEpochOfItsKey() public {
        _addKey(controller, _consent(ISSUER, newKey, SCOPE_STATUS, 1), NEW_PK);
        vm.prank(newKey);
        registry.revoke(ISSUER, _LIST, _words(1), _masks(1), _REASON);
        _revoke(_words(1), _masks(2));
        _audit();
        vm.assertFalse(registry.isRevoked(ISSUER, _LIST, 256));
        vm.assertTrue(registry.isRevoked(ISSUER, _LIST, 257));
        Slots.setStatusEpoch(address(registry), ISSUER, 1);
        vm.assertTrue(registry.isRevoked(ISSUER, _LIST, 256));
        vm.assertFalse(registry.isRevoked(ISSUER, _LIST, 257));
    }

    function test_revoke_revertsWithNothingChanges() public {
        _revoke(_words(3), _masks(7));
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.NothingChanges.selector, _LIST, 3));
        _revoke(_words(3), _masks(5));
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.NothingChanges.selector, _LIST, 3));
        _revoke(_words(2, 3), _masks(1, 5));
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.NothingChanges.selector, _LIST, 8));
        _revoke(_words(8), _masks(0));
    }

    /* SUSPEND, REINSTATE */

    function test_suspend_setsOneBit() public {
        bytes32 head = _expectedHead("CredentialsSuspended", 0, _words(2), _masks(1 << 9));
        vm.expectEmit(true, true, true, true, address(registry));
        emit IRegistryEvents.CredentialsSuspended(
            ISSUER, _LIST, 0, _words(2), _masks(1 << 9), _REASON, statusKey, START, head
        );
        _suspend(_words(2), _masks(1 << 9));
        vm.assertTrue(registry.isSuspended(ISSUER, _LIST, 521));
        vm.assertFalse(registry.isSuspended(ISSUER, _LIST, 520));
        vm.assertFalse(registry.isRevoked(ISSUER, _LIST, 521));
        _audit();
    }

    function test_reinstate_clearsOnlyItsBits() public {
        _suspend(_words(2), _masks(6));
        _revoke(_words(2), _masks(4));
        bytes32 head = _expectedHead("CredentialsReinstated", 0, _words(2), _masks(4));
        vm.expectEmit(true, true, true, true, address(registry));
        emit IRegistryEvents.CredentialsReinstated(
            ISSUER, _LIST, 0, _words(2), _masks(4), _REASON, statusKey, START, head
        );
        _reinstate(_words(2), _masks(4 | 1));
        vm.assertFalse(registry.isSuspended(ISSUER, _LIST, 514));
        vm.assertTrue(registry.isSuspended(ISSUER, _LIST, 513));
        vm.assertTrue(registry.isRevoked(ISSUER, _LIST, 514));
        _audit();
    }

    function test_suspend_againAfterReinstatement() public {
        _suspend(_words(2), _masks(1));
        _reinstate(_words(2), _masks(1));
        _suspend(_words(2), _masks(1));
        vm.assertTrue(registry.isSuspended(ISSUER, _LIST, 512));
        _audit();
    }

    function test_suspend_revertsWithNothingChanges() public {
        _suspend(_words(3), _masks(7));
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.NothingChanges.selector, _LIST, 3));
        _suspend(_words(3), _masks(7));
    }

    /// A revocation cannot be lifted this way either.
    function test_reinstate_revertsWithNothingChanges() public {
        _revoke(_words(3), _masks(7));
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.NothingChanges.selector, _LIST, 3));
        _reinstate(_words(3), _masks(7));
    }

    /* ALL THREE CALLS */

    function test_status_revertsWithKeyNotOfIssuer() public {
        address[5] memory others = [stranger, controller, admin, accreditor, otherStatusKey];
        for (uint256 i = 0; i < others.length; ++i) {
            uint32 boundTo = others[i] == otherStatusKey ? OTHER_ISSUER : 0;
            _expectEachReverts(
                others[i],
                _REASON,
                _words(1),
                _masks(1),
                abi.encodeWithSelector(IRegistryErrors.KeyNotOfIssuer.selector, others[i], ISSUER, boundTo)
            );
        }
    }

    function test_status_revertsWithWrongScope() public {
        _expectEachReverts(
            anchorKey,
            _REASON,
            _words(1),
            _masks(1),
            abi.encodeWithSelector(IRegistryErrors.WrongScope.selector, anchorKey, SCOPE_ANCHOR, SCOPE_STATUS)
        );
    }

    function test_status_revertsWithKeyNotYetValid() public {
        Consent memory consent = _consent(ISSUER, newKey, SCOPE_STATUS, 0);
        consent.validFrom = START + 1;
        _addKey(controller, consent, NEW_PK);
        _expectEachReverts(
            newKey,
            _REASON,
            _words(1),
            _masks(1),
            abi.encodeWithSelector(IRegistryErrors.KeyNotYetValid.selector, newKey, START + 1)
        );
    }

    function test_status_revertsWithKeyCutOff() public {
        Slots.setCompromisedAt(address(registry), statusKey, START);
        _expectEachReverts(
            statusKey,
            _REASON,
            _words(1),
            _masks(1),
            abi.encodeWithSelector(IRegistryErrors.KeyCutOff.selector, statusKey, START)
        );
    }

    function test_fuzz_status_revertsWithInvalidReason(uint8 reason) public {
        vm.assume(reason == 0 || reason > MAX_REASON);
        _expectEachReverts(
            statusKey,
            reason,
            _words(1),
            _masks(1),
            abi.encodeWithSelector(IRegistryErrors.InvalidReason.selector, reason)
        );
    }

    function test_status_takesEveryReason() public {
        for (uint8 reason = 1; reason <= MAX_REASON; ++reason) {
            vm.prank(statusKey);
            registry.revoke(ISSUER, _LIST, _words(reason), _masks(1), reason);
        }
        _audit();
    }

    function test_status_revertsWithWordCountOutOfRange() public {
        _expectEachReverts(
            statusKey,
            _REASON,
            new uint16[](0),
            new uint256[](0),
            abi.encodeWithSelector(IRegistryErrors.WordCountOutOfRange.selector, 0, 512)
        );
        (uint16[] memory words, uint256[] memory masks) = _allWords(513);
        _expectEachReverts(
            statusKey,
            _REASON,
            words,
            masks,
            abi.encodeWithSelector(IRegistryErrors.WordCountOutOfRange.selector, 513, 512)
        );
    }

    function test_status_revertsWithWordMaskMismatch() public {
        _expectEachReverts(
            statusKey,
            _REASON,
            _words(1),
            _masks(1, 1),
            abi.encodeWithSelector(IRegistryErrors.WordMaskMismatch.selector, 1, 2)
        );
        _expectEachReverts(
            statusKey,
            _REASON,
            _words(1, 2),
            _masks(1),
            abi.encodeWithSelector(IRegistryErrors.WordMaskMismatch.selector, 2, 1)
        );
    }

    function test_fuzz_status_revertsWithWordOutOfRange(uint16 word) public {
        vm.assume(word >= 512);
        _expectEachReverts(
            statusKey,
            _REASON,
            _words(1, word),
            _masks(1, 1),
            abi.encodeWithSelector(IRegistryErrors.WordOutOfRange.selector, word)
        );
    }

    function test_status_revertsWithWordsNotIncreasing() public {
        uint16[2][2] memory wrong = [[uint16(3), 3], [uint16(3), 2]];
        for (uint256 i = 0; i < wrong.length; ++i) {
            // Different bits, so that the order is all that is wrong.
            _expectEachReverts(
                statusKey,
                _REASON,
                _words(wrong[i][0], wrong[i][1]),
                _masks(1, 2),
                abi.encodeWithSelector(IRegistryErrors.WordsNotIncreasing.selector, wrong[i][0], wrong[i][1])
            );
        }
    }

    /* VIEWS */

    function test_statusOf_revertsWithUnknownIssuer() public {
        uint32[2] memory unknown = [uint32(0), 3];
        for (uint256 i = 0; i < unknown.length; ++i) {
            bytes memory error = abi.encodeWithSelector(IRegistryErrors.UnknownIssuer.selector, unknown[i]);
            vm.expectRevert(error);
            registry.isRevoked(unknown[i], _LIST, 0);
            vm.expectRevert(error);
            registry.isSuspended(unknown[i], _LIST, 0);
            vm.expectRevert(error);
            registry.statusOf(unknown[i], _LIST, 0);
        }
    }

    function test_fuzz_statusOf_revertsWithStatusIndexOutOfRange(uint256 index) public {
        vm.assume(index >= 131_072);
        bytes memory error = abi.encodeWithSelector(StatusWords.StatusIndexOutOfRange.selector, index);
        vm.expectRevert(error);
        registry.isRevoked(ISSUER, _LIST, index);
        vm.expectRevert(error);
        registry.isSuspended(ISSUER, _LIST, index);
        vm.expectRevert(error);
        registry.statusOf(ISSUER, _LIST, index);
    }

    /* AGAINST A NAIVE MODEL */

    /// Three words, touched at random, one boolean a credential.
    function test_fuzz_status_agreesWithOneBooleanPerCredential(uint256[12] calldata masks, uint256 choices) public {
        for (uint256 i = 0; i < masks.length; ++i) {
            uint256 choice = choices >> (8 * i);
            uint16 word = uint16(choice & 3) + 254;
            uint256 action = (choice >> 2) % 3;
            // Few bits, all below the 24th, so that some are met again.
            uint256 mask = masks[i] & masks[(i + 1) % masks.length] & 0xff00ff;
            if (!_changes(action, word, mask)) continue;
            _act(action, _words(word), _masks(mask));
            _remember(action, word, mask);
        }
        for (uint256 i = 0; i < 4 * 24; ++i) {
            uint256 index = (254 + i / 24) * 256 + i % 24;
            (bool revoked, bool suspended) = registry.statusOf(ISSUER, _LIST, index);
            vm.assertEq(revoked, _revoked[index], "revoked");
            vm.assertEq(suspended, _suspended[index], "suspended");
        }
        _audit();
    }

    function _changes(uint256 action, uint16 word, uint256 mask) private view returns (bool) {
        for (uint256 bit = 0; bit < 24; ++bit) {
            if ((mask >> bit) & 1 == 0) continue;
            uint256 index = uint256(word) * 256 + bit;
            if (action == 0 ? !_revoked[index] : _suspended[index] == (action == 2)) return true;
        }
        return false;
    }

    function _remember(uint256 action, uint16 word, uint256 mask) private {
        for (uint256 bit = 0; bit < 24; ++bit) {
            if ((mask >> bit) & 1 == 0) continue;
            if (action == 0) _revoked[uint256(word) * 256 + bit] = true;
            else _suspended[uint256(word) * 256 + bit] = action == 1;
        }
    }

    /* CALLS */

    function _revoke(uint16[] memory words, uint256[] memory masks) private {
        _act(0, words, masks);
    }

    function _suspend(uint16[] memory words, uint256[] memory masks) private {
        _act(1, words, masks);
    }

    function _reinstate(uint16[] memory words, uint256[] memory masks) private {
        _act(2, words, masks);
    }

    function _act(uint256 action, uint16[] memory words, uint256[] memory masks) private {
        vm.prank(statusKey);
        if (action == 0) registry.revoke(ISSUER, _LIST, words, masks, _REASON);
        else if (action == 1) registry.suspend(ISSUER, _LIST, words, masks, _REASON);
        else registry.reinstate(ISSUER, _LIST, words, masks, _REASON);
    }

    function _expectEachReverts(
        address who,
        uint8 reason,
        uint16[] memory words,
        uint256[] memory masks,
        bytes memory error
    ) private {
        vm.expectRevert(error);
        vm.prank(who);
        registry.revoke(ISSUER, _LIST, words, masks, reason);
        vm.expectRevert(error);
        vm.prank(who);
        registry.suspend(ISSUER, _LIST, words, masks, reason);
        _storeSuspended(words, type(uint256).max);
        vm.expectRevert(error);
        vm.prank(who);
        registry.reinstate(ISSUER, _LIST, words, masks, reason);
        _storeSuspended(words, 0);
    }

    /// @dev So that there is something to reinstate, and the error is not that there is not.
    function _storeSuspended(uint16[] memory words, uint256 bits) private {
        for (uint256 i = 0; i < words.length; ++i) {
            uint256 slot = Slots.word(Slots.SUSPENDED, ISSUER, 0, _LIST, words[i]);
            vm.store(address(registry), bytes32(slot), bytes32(bits));
        }
    }

    function _expectedHead(string memory name, uint16 epoch, uint16[] memory words, uint256[] memory masks)
        private
        view
        returns (bytes32)
    {
        bytes memory signature =
            bytes.concat(bytes(name), "(uint32,uint32,uint16,uint16[],uint256[],uint8,address,uint40,bytes32)");
        bytes32 eventHash =
            keccak256(abi.encode(keccak256(signature), ISSUER, _LIST, epoch, words, masks, _REASON, statusKey, START));
        return keccak256(abi.encode(_headOf(ISSUER), eventHash));
    }

    function _allWords(uint256 count) private pure returns (uint16[] memory words, uint256[] memory masks) {
        words = new uint16[](count);
        masks = new uint256[](count);
        for (uint16 i = 0; i < count; ++i) {
            words[i] = i;
            masks[i] = type(uint256).max;
        }
    }
}
